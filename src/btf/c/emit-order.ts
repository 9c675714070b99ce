import { BpfError } from '../../base/index.js';
import type { Btf } from '../btf.js';
import type { BtfType } from '../types.js';

/** References in a row after which types are taken for a cycle; C compilers give up sooner. */
export const MAX_C_DEPTH = 1024;

type OrderState = 'ordering' | 'ordered';

/** How one type depends on another: by its definition, or so that a declaration would do. */
type Link = 'strong' | 'weak';

/**
 * In which order C needs the definitions of types: what is embedded comes first, what is pointed to may come later and is declared
 * where needed. After libbpf's btf_dump_order_type.
 */
export class EmitOrder {
  readonly #btf: Btf;
  readonly #states: (OrderState | undefined)[] = ['ordered'];
  readonly #referenced: Uint8Array;
  readonly #queue: number[] = [];

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#referenced = referencedTypes(btf);
  }

  /** Top-level definitions that `id` and what it depends on need, but those that earlier calls have given. */
  take(id: number): number[] {
    this.#queue.length = 0;
    this.#order(id, false, 0);
    return this.#queue.slice();
  }

  #order(id: number, throughPointer: boolean, depth: number): Link {
    const state = this.#states[id];
    if (state === 'ordered') return 'strong';
    const type = this.#btf.byId(id);
    if (state === 'ordering') {
      if (isComposite(type) && throughPointer && type.name !== '') return 'weak';
      throw typeCycle(id);
    }
    if (depth > MAX_C_DEPTH) throw typeCycle(id);
    switch (type.kind) {
      case 'ptr': {
        const link = this.#order(type.type, true, depth + 1);
        this.#states[id] = 'ordered';
        return link;
      }
      case 'array':
        return this.#order(type.elementType, false, depth + 1);
      case 'struct':
      case 'union':
        if (throughPointer && type.name !== '') return 'weak';
        this.#states[id] = 'ordering';
        for (const member of type.members) this.#order(member.type, false, depth + 1);
        if (type.name !== '') this.#queue.push(id);
        return this.#done(id, 'strong');
      case 'enum':
      case 'enum64':
      case 'fwd':
        // An anonymous enum that something refers to is defined there.
        if (type.name !== '' || this.#referenced[id] === 0) this.#queue.push(id);
        return this.#done(id, 'strong');
      case 'typedef':
        if (this.#order(type.type, throughPointer, depth + 1) === 'weak' && throughPointer) return 'weak';
        this.#queue.push(id);
        return this.#done(id, 'strong');
      case 'volatile':
      case 'const':
      case 'restrict':
      case 'type_tag':
        return this.#order(type.type, throughPointer, depth + 1);
      case 'func_proto': {
        const links = [type.returnType, ...type.params.map((param) => param.type)].map((each) =>
          this.#order(each, throughPointer, depth + 1),
        );
        return links.includes('strong') ? 'strong' : 'weak';
      }
      default:
        return this.#done(id, 'weak');
    }
  }

  #done(id: number, link: Link): Link {
    this.#states[id] = 'ordered';
    return link;
  }
}

/** Marks types that another one refers to, results of functions aside. */
function referencedTypes(btf: Btf): Uint8Array {
  const referenced = new Uint8Array(btf.typeCount);
  for (const type of btf) {
    switch (type.kind) {
      case 'array':
        referenced[type.elementType] = referenced[type.indexType] = 1;
        break;
      case 'struct':
      case 'union':
        for (const member of type.members) referenced[member.type] = 1;
        break;
      case 'func_proto':
        for (const param of type.params) referenced[param.type] = 1;
        break;
      case 'datasec':
        for (const variable of type.vars) referenced[variable.type] = 1;
        break;
      default:
        if ('type' in type) referenced[type.type] = 1;
    }
  }
  return referenced;
}

export const isComposite = (type: BtfType): boolean => type.kind === 'struct' || type.kind === 'union';

export function typeCycle(id: number): BpfError {
  return new BpfError('ELOOP', 'BTF types contain each other in a cycle that C cannot express', {
    section: '.BTF',
    value: id,
    remedy: 'only pointers to named structs and unions may lead back; the BTF is corrupt',
  });
}
