import { WordWriter } from '../build/word-writer.js';
import { StringPool } from '../build/string-pool.js';
import { Btf } from '../btf.js';
import { BtfKindNumber } from '../kinds.js';
import { forEachTypeField, recordEnd, recordKindFlag } from '../record-shape.js';
import { scanTypeRecords } from '../type-records.js';
import { CandidateTable } from './candidate-table.js';
import { CanonicalIds } from './canonical-ids.js';
import { Equivalence } from './equivalence.js';
import {
  compatibleEnums,
  isComposite,
  isEnum,
  isEnumDeclaration,
  recordHash,
  sameComposite,
  sameRecord,
} from './record-equality.js';
import { ReferencePass } from './reference-pass.js';
import { StringMoves, TypeSpace } from './type-space.js';

/** What `deduplicateBtf` made, and where everything went. */
export interface BtfDedupResult {
  readonly btf: Btf;
  /** New id of each old one. */
  readonly ids: Uint32Array;
  /** New offset of a string of the old BTF, for what stands outside the types (.BTF.ext); it is kept by `keepStrings`. */
  stringOffset(offset: number): number;
}

export interface BtfDedupOptions {
  /** String offsets that .BTF.ext uses: these strings stay, all others that no type uses go. */
  readonly keepStrings?: Iterable<number>;
}

/**
 * The same types, each once. Follows libbpf's btf__dedup: strings; integers, floats, enums and forward declarations by
 * their records; structs and unions by the equivalence of the whole graph below them, which also resolves forward
 * declarations; declarations whose name only one struct or union has; then everything that refers to other types. Of
 * split BTF only its own types change: what the base has is taken from there. References in a cycle that no
 * struct, union or prototype interrupts are an ELOOP `BpfError`.
 */
export function deduplicateBtf(btf: Btf, { keepStrings = [] }: BtfDedupOptions = {}): BtfDedupResult {
  const pool = new StringPool(btf.base?.strings);
  const moves = new StringMoves(btf, pool);
  const space = new TypeSpace(btf, pool, (offset) => moves.move(offset));
  for (const offset of keepStrings) moves.move(offset);
  const ids = new CanonicalIds(space);
  const table = new CandidateTable();
  for (let id = 1; id < space.firstId; id++) if (!isUnshared(space.kind(id))) table.add(recordHash(space, id), id);
  mergePlainTypes(space, ids, table);
  mergeComposites(space, ids, table);
  resolveDeclarations(space, ids);
  new ReferencePass(space, ids, table).run();
  const compact = compactTypes(space, ids);
  const strings = pool.table();
  const records = scanTypeRecords(compact.words, { firstId: space.firstId, stringsEnd: strings.end, sectionOffset: 0 });
  return {
    btf: new Btf(records, strings, btf.littleEndian, btf.base),
    ids: compact.ids,
    stringOffset: (offset) => keptString(btf, pool, offset),
  };
}

const isUnshared = (kind: number): boolean => kind === BtfKindNumber.var || kind === BtfKindNumber.datasec;

function keptString(btf: Btf, pool: StringPool, offset: number): number {
  const text = btf.string(offset);
  const kept = pool.find(text);
  if (kept === undefined) throw new RangeError(`no type uses the string "${text}", and it was not to be kept`);
  return kept;
}

/** Integers, floats, forward declarations; enums, of which a declaration stands for the definition. */
function mergePlainTypes(space: TypeSpace, ids: CanonicalIds, table: CandidateTable): void {
  for (let id = space.firstId; id < space.count; id++) {
    const kind = space.kind(id);
    const isPlain = kind === BtfKindNumber.int || kind === BtfKindNumber.float || kind === BtfKindNumber.fwd;
    if (!isPlain && !isEnum(kind)) continue;
    const hash = recordHash(space, id);
    const canonical = isPlain
      ? table.of(hash).find((candidate) => sameRecord(space, id, candidate))
      : sameEnum(space, ids, table.of(hash), id);
    ids.set(id, canonical ?? id);
    if (canonical === undefined) table.add(hash, id);
  }
}

function sameEnum(space: TypeSpace, ids: CanonicalIds, candidates: readonly number[], id: number): number | undefined {
  for (const candidate of candidates) {
    if (sameRecord(space, id, candidate)) return candidate;
    if (!compatibleEnums(space, id, candidate)) continue;
    if (isEnumDeclaration(space, id)) return candidate;
    ids.set(candidate, id);
  }
  return undefined;
}

function mergeComposites(space: TypeSpace, ids: CanonicalIds, table: CandidateTable): void {
  const equivalence = new Equivalence(space, ids);
  for (let id = space.firstId; id < space.count; id++) {
    if (!isComposite(space.kind(id)) || ids.isKnown(id)) continue;
    const hash = recordHash(space, id);
    const canonical = table
      .of(hash)
      .find((candidate) => sameComposite(space, id, candidate) && equivalence.unify(id, candidate));
    ids.set(id, canonical ?? id);
    if (canonical === undefined) table.add(hash, id);
  }
}

/** A forward declaration of a name that one struct or union has stands for that. */
function resolveDeclarations(space: TypeSpace, ids: CanonicalIds): void {
  const { words, starts } = space;
  const AMBIGUOUS = 0;
  const byName = new Map<number, number>();
  for (let id = 1; id < space.count; id++) {
    if (!isComposite(space.kind(id)) || !ids.isCanonical(id)) continue;
    const name = words[starts[id]];
    byName.set(name, byName.has(name) ? AMBIGUOUS : id);
  }
  for (let id = space.firstId; id < space.count; id++) {
    if (space.kind(id) !== BtfKindNumber.fwd || !ids.isCanonical(id)) continue;
    const definition = byName.get(words[starts[id]]) ?? AMBIGUOUS;
    const kind = recordKindFlag(words[starts[id] + 1]) ? BtfKindNumber.union : BtfKindNumber.struct;
    if (definition !== AMBIGUOUS && space.kind(definition) === kind) ids.set(id, definition);
  }
}

/** The canonical types, with ids in their old order. */
function compactTypes(space: TypeSpace, canonical: CanonicalIds): { words: Uint32Array; ids: Uint32Array } {
  const { words, starts, firstId, count } = space;
  const ids = new Uint32Array(count);
  let next = firstId;
  for (let id = 0; id < count; id++) {
    if (!space.isOwn(id)) ids[id] = id;
    else if (canonical.isCanonical(id)) ids[id] = next++;
  }
  for (let id = firstId; id < count; id++) ids[id] = ids[canonical.resolve(id)];
  const writer = new WordWriter();
  for (let id = firstId; id < count; id++) {
    if (!canonical.isCanonical(id)) continue;
    const at = starts[id];
    forEachTypeField(words, at, (place) => {
      words[place] = ids[words[place]];
    });
    writer.push(words.subarray(at, recordEnd(words, at)));
  }
  return { words: writer.words(), ids };
}
