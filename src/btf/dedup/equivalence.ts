import { BtfKindNumber } from '../kinds.js';
import { RECORD_HEADER_WORDS, recordKindFlag } from '../record-shape.js';
import type { CanonicalIds } from './canonical-ids.js';
import {
  compatibleEnums,
  isComposite,
  sameComposite,
  sameElements,
  sameParameters,
  sameRecord,
} from './record-equality.js';
import type { TypeSpace } from './type-space.js';

const NONE = 0xffff_ffff;
/** References through which two types of one object file are compared for being the same. */
const MAX_IDENTITY_DEPTH = 16;

/**
 * Whether the graphs of types that two structs or unions lead to are the same, and if so, what that says about the types
 * in them. It is assumed of each pair that is met that they are equivalent, and then tried whether all that follows
 * holds (a hypothetical map from canonical types to candidates); so cycles need no special care. A forward declaration is
 * equivalent to any struct or union of its name. After libbpf's btf_dedup_is_equiv.
 */
export class Equivalence {
  readonly #space: TypeSpace;
  readonly #ids: CanonicalIds;
  /** For each canonical type the candidate that is taken for it, and which ones have such. */
  readonly #assumed: Uint32Array;
  readonly #assumptions: number[] = [];
  /** Pairs still to be compared, last first. */
  readonly #pairs: number[] = [];
  /** A declaration in the base would have to become a type outside of it. */
  #changesBase = false;

  constructor(space: TypeSpace, ids: CanonicalIds) {
    this.#space = space;
    this.#ids = ids;
    this.#assumed = new Uint32Array(space.count).fill(NONE);
  }

  /**
   * Whether `candidate` is `canonical` once more. If the graphs are the same, declarations in one are resolved to
   * definitions in the other, and structs below take their canonical ones.
   */
  unify(candidate: number, canonical: number): boolean {
    this.#forget();
    if (!this.#compareAll(candidate, canonical)) return false;
    this.#adopt();
    return !this.#changesBase;
  }

  #forget(): void {
    for (const id of this.#assumptions) this.#assumed[id] = NONE;
    this.#assumptions.length = 0;
    this.#pairs.length = 0;
    this.#changesBase = false;
  }

  /** Depth first, in the order of members, without recursion: type graphs of kernels are thousands of types deep. */
  #compareAll(candidate: number, canonical: number): boolean {
    this.#pairs.push(candidate, canonical);
    while (this.#pairs.length > 0) {
      const right = this.#pairs.pop() ?? 0;
      const left = this.#pairs.pop() ?? 0;
      if (!this.#compare(left, right)) return false;
    }
    return true;
  }

  /** Compares two types but for what they refer to, which is put off. */
  #compare(candidate: number, given: number): boolean {
    const space = this.#space;
    if (this.#ids.resolve(candidate) === this.#ids.resolve(given)) return true;
    const canonical = this.#ids.resolveForward(given);
    const assumed = this.#assumed[canonical];
    // Compilers sometimes describe a type twice in one file and use either.
    if (assumed !== NONE) return assumed === candidate || this.#identical(assumed, candidate, 0);
    if (candidate === 0 || canonical === 0) return false;
    this.#assumed[canonical] = candidate;
    this.#assumptions.push(canonical);
    const { words, starts } = space;
    if (words[starts[candidate]] !== words[starts[canonical]]) return false;
    const [kind, canonicalKind] = [space.kind(candidate), space.kind(canonical)];
    if (kind !== canonicalKind) {
      if (kind === BtfKindNumber.fwd) return this.#declares(candidate, canonicalKind);
      if (canonicalKind !== BtfKindNumber.fwd || !this.#declares(canonical, kind)) return false;
      if (!space.isOwn(canonical)) this.#changesBase = true;
      return true;
    }
    return this.#sameKind(kind, candidate, canonical);
  }

  #sameKind(kind: number, candidate: number, canonical: number): boolean {
    const space = this.#space;
    const { words, starts } = space;
    const [x, y] = [starts[candidate], starts[canonical]];
    const body = RECORD_HEADER_WORDS;
    switch (kind) {
      case BtfKindNumber.int:
      case BtfKindNumber.float:
      case BtfKindNumber.fwd:
        return sameRecord(space, candidate, canonical);
      case BtfKindNumber.enum:
      case BtfKindNumber.enum64:
        return compatibleEnums(space, candidate, canonical);
      case BtfKindNumber.const:
      case BtfKindNumber.volatile:
      case BtfKindNumber.restrict:
      case BtfKindNumber.ptr:
      case BtfKindNumber.typedef:
      case BtfKindNumber.func:
      case BtfKindNumber.type_tag:
        if (words[x + 1] !== words[y + 1]) return false;
        this.#pairs.push(words[x + 2], words[y + 2]);
        return true;
      case BtfKindNumber.array:
        if (!sameElements(space, candidate, canonical)) return false;
        this.#pairs.push(words[x + body], words[y + body], words[x + body + 1], words[y + body + 1]);
        return true;
      case BtfKindNumber.struct:
      case BtfKindNumber.union:
        if (!sameComposite(space, candidate, canonical)) return false;
        for (let i = space.elements(candidate) - 1; i >= 0; i--)
          this.#pairs.push(words[x + body + 3 * i + 1], words[y + body + 3 * i + 1]);
        return true;
      case BtfKindNumber.func_proto:
        if (!sameParameters(space, candidate, canonical)) return false;
        for (let i = space.elements(candidate) - 1; i >= 0; i--)
          this.#pairs.push(words[x + body + 2 * i + 1], words[y + body + 2 * i + 1]);
        this.#pairs.push(words[x + 2], words[y + 2]);
        return true;
      default:
        return false;
    }
  }

  /** Whether forward declaration `id` stands for a type of that kind. */
  #declares(id: number, kind: number): boolean {
    const isUnion = recordKindFlag(this.#space.words[this.#space.starts[id] + 1]);
    return kind === (isUnion ? BtfKindNumber.union : BtfKindNumber.struct);
  }

  /** Whether two types are the same as they stand, without assumptions. */
  #identical(a: number, b: number, depth: number): boolean {
    if (a === b) return true;
    const space = this.#space;
    const kind = space.kind(a);
    if (depth > MAX_IDENTITY_DEPTH || a === 0 || b === 0 || kind !== space.kind(b)) return false;
    const { words, starts } = space;
    const [x, y] = [starts[a], starts[b]];
    const same = (word: number): boolean => this.#identical(words[x + word], words[y + word], depth + 1);
    if (kind === BtfKindNumber.array) return sameElements(space, a, b) && same(3) && same(4);
    if (isComposite(kind)) {
      if (!sameComposite(space, a, b)) return false;
      for (let i = 0; i < space.elements(a); i++) if (!same(RECORD_HEADER_WORDS + 3 * i + 1)) return false;
      return true;
    }
    return false;
  }

  /** Draws the conclusions: all that was assumed is true. */
  #adopt(): void {
    const [space, ids] = [this.#space, this.#ids];
    for (const assumption of this.#assumptions) {
      const candidate = ids.resolve(this.#assumed[assumption]);
      const canonical = ids.resolve(assumption);
      const [kind, canonicalKind] = [space.kind(candidate), space.kind(canonical)];
      const isDeclaration = kind === BtfKindNumber.fwd;
      const canonicalIsDeclaration = canonicalKind === BtfKindNumber.fwd;
      // Its own kind of conclusion: a definition need not be canonical yet for a declaration to stand for it.
      if (canonicalIsDeclaration && !isDeclaration) {
        if (space.isOwn(canonical)) ids.set(canonical, candidate);
      } else if (isDeclaration && !canonicalIsDeclaration) ids.set(candidate, canonical);
      const settles = isComposite(kind) && !canonicalIsDeclaration && !this.#changesBase;
      if (settles && ids.isKnown(canonical) && !ids.isKnown(candidate)) ids.set(candidate, canonical);
    }
  }
}
