import { BpfError } from '../base/index.js';
import type { Btf } from './btf.js';
import { needFinite } from './finite.js';
import type { BtfComposite } from './types.js';

/** Nesting after which a type is taken for a cycle. */
const MAX_DEPTH = 32;
const MAX_SIZE = 0xffff_ffff;

/** Bytes of a value of type `id`; see `Btf.sizeOf`. */
export function sizeOf(btf: Btf, id: number): number {
  let elements = 1;
  let current = id;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const type = btf.byId(current);
    switch (type.kind) {
      case 'struct':
      case 'union':
        needFinite(btf, current);
        return checkedSize(id, elements, type.size);
      case 'int':
      case 'float':
      case 'enum':
      case 'enum64':
      case 'datasec':
        return checkedSize(id, elements, type.size);
      case 'ptr':
        return checkedSize(id, elements, btf.pointerSize);
      case 'array':
        elements = checkedSize(id, elements, type.count);
        current = type.elementType;
        break;
      case 'typedef':
      case 'volatile':
      case 'const':
      case 'restrict':
      case 'type_tag':
      case 'decl_tag':
      case 'var':
        current = type.type;
        break;
      default:
        throw layoutError(id, `${describe(type.kind, type.name)} has no size`);
    }
  }
  throw layoutError(id, 'BTF type is nested too deeply');
}

/** Alignment of type `id` in bytes; see `Btf.alignmentOf`. */
export function alignmentOf(btf: Btf, id: number): number {
  return new Alignments(btf).of(id, 0);
}

class Alignments {
  readonly #btf: Btf;
  readonly #known = new Map<number, number>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  of(id: number, depth: number): number {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) throw layoutError(id, 'BTF type is nested too deeply');
    const alignment = this.#compute(id, depth);
    this.#known.set(id, alignment);
    return alignment;
  }

  #compute(id: number, depth: number): number {
    const type = this.#btf.byId(id);
    switch (type.kind) {
      case 'int':
      case 'float':
      case 'enum':
      case 'enum64':
        return Math.max(1, Math.min(this.#btf.pointerSize, type.size));
      case 'ptr':
        return this.#btf.pointerSize;
      case 'array':
        return this.of(type.elementType, depth + 1);
      case 'typedef':
      case 'volatile':
      case 'const':
      case 'restrict':
      case 'type_tag':
      case 'var':
        return this.of(type.type, depth + 1);
      case 'struct':
      case 'union':
        return this.#composite(type, depth);
      default:
        throw layoutError(id, `${describe(type.kind, type.name)} has no alignment`);
    }
  }

  /** The strictest member's alignment, or 1 where some member or the size shows that the type is packed. */
  #composite(type: BtfComposite, depth: number): number {
    let strictest = 1;
    for (const member of type.members) {
      const alignment = this.of(member.type, depth + 1);
      if (member.bitSize === 0 && member.bitOffset % (8 * alignment) !== 0) return 1;
      strictest = Math.max(strictest, alignment);
    }
    return type.size % strictest === 0 ? strictest : 1;
  }
}

function checkedSize(id: number, elements: number, size: number): number {
  const total = elements * size;
  if (total > MAX_SIZE) {
    throw new BpfError('E2BIG', 'BTF type is larger than 4 GiB', {
      section: '.BTF',
      value: id,
      remedy: 'the BTF is corrupt',
    });
  }
  return total;
}

function describe(kind: string, name: string): string {
  return name === '' ? `BTF type '${kind}'` : `BTF type '${kind} ${name}'`;
}

function layoutError(id: number, what: string): BpfError {
  return new BpfError('EINVAL', what, { section: '.BTF', value: id, remedy: 'ask for a type that values can have' });
}
