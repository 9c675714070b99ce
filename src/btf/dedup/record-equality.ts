import { BtfKindNumber } from '../kinds.js';
import { RECORD_HEADER_WORDS, recordCount, recordEnd, recordKind } from '../record-shape.js';
import type { TypeSpace } from './type-space.js';

const NAME = 0;
const INFO = 1;
const SIZE_OR_TYPE = 2;

export const isEnum = (kind: number): boolean => kind === BtfKindNumber.enum || kind === BtfKindNumber.enum64;
export const isComposite = (kind: number): boolean => kind === BtfKindNumber.struct || kind === BtfKindNumber.union;

/** An enum without enumerators stands for one that is defined elsewhere. */
export function isEnumDeclaration(space: TypeSpace, id: number): boolean {
  return isEnum(space.kind(id)) && space.elements(id) === 0;
}

/** Same name, info and size or type. */
export function sameHeader({ words, starts }: TypeSpace, a: number, b: number): boolean {
  const [x, y] = [starts[a], starts[b]];
  return (
    words[x] === words[y] && words[x + INFO] === words[y + INFO] && words[x + SIZE_OR_TYPE] === words[y + SIZE_OR_TYPE]
  );
}

/** Same records, word for word, references included. */
export function sameRecord({ words, starts }: TypeSpace, a: number, b: number): boolean {
  const [x, y] = [starts[a], starts[b]];
  const length = recordEnd(words, x) - x;
  if (recordEnd(words, y) - y !== length) return false;
  for (let i = 0; i < length; i++) if (words[x + i] !== words[y + i]) return false;
  return true;
}

/** Equal enums, or enums of one name of which at least one is a declaration. */
export function compatibleEnums(space: TypeSpace, a: number, b: number): boolean {
  if (!isEnumDeclaration(space, a) && !isEnumDeclaration(space, b)) return sameRecord(space, a, b);
  const { words, starts } = space;
  return isEnum(space.kind(a)) && isEnum(space.kind(b)) && words[starts[a]] === words[starts[b]];
}

/** Same struct or union but for the types of its members. */
export function sameComposite(space: TypeSpace, a: number, b: number): boolean {
  if (!sameHeader(space, a, b)) return false;
  const { words, starts } = space;
  const [x, y] = [starts[a] + RECORD_HEADER_WORDS, starts[b] + RECORD_HEADER_WORDS];
  const end = 3 * space.elements(a);
  for (let i = 0; i < end; i += 3) {
    if (words[x + i] !== words[y + i] || words[x + i + 2] !== words[y + i + 2]) return false;
  }
  return true;
}

/** Same prototype but for the types of parameters and result. */
export function sameParameters(space: TypeSpace, a: number, b: number): boolean {
  const { words, starts } = space;
  const [x, y] = [starts[a], starts[b]];
  if (words[x] !== words[y] || words[x + INFO] !== words[y + INFO]) return false;
  const end = RECORD_HEADER_WORDS + 2 * space.elements(a);
  for (let i = RECORD_HEADER_WORDS; i < end; i += 2) if (words[x + i] !== words[y + i]) return false;
  return true;
}

/** Same array but for its types. */
export function sameElements(space: TypeSpace, a: number, b: number): boolean {
  const { words, starts } = space;
  return sameHeader(space, a, b) && words[starts[a] + 5] === words[starts[b] + 5];
}

/**
 * A number that is equal for types which may turn out the same: of structs and unions all but the members' types, of
 * enums the name alone, since a declaration stands for any of that name; of all others the whole record.
 */
export function recordHash({ words, starts }: TypeSpace, id: number): number {
  const at = starts[id];
  const info = words[at + INFO];
  const kind = recordKind(info);
  if (isEnum(kind)) return mix(BtfKindNumber.enum, words[at + NAME]);
  const end = recordEnd(words, at);
  let hash = mix(mix(mix(0, words[at]), info), words[at + SIZE_OR_TYPE]);
  if (isComposite(kind)) {
    const last = at + RECORD_HEADER_WORDS + 3 * recordCount(info);
    for (let i = at + RECORD_HEADER_WORDS; i < last; i += 3) hash = mix(mix(hash, words[i]), words[i + 2]);
    return hash;
  }
  for (let i = at + RECORD_HEADER_WORDS; i < end; i++) hash = mix(hash, words[i]);
  return hash;
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e37_79b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
