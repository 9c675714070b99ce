import { BpfError } from '../base/index.js';
import type { Btf } from './btf.js';
import { namedMembers } from './dts/member-list.js';
import type { BtfLayout } from './dts/value-types.js';
import { StructViews } from './struct-view.js';
import { decodeValue } from './value-decoder.js';

/** C names of types in generated declarations: `struct task_struct`, `typedef u32`. */
const NAME = /^(struct|union|enum|typedef) (.+)$/;

/**
 * Reads bytes with the types that `printBtfAsDts` declares:
 *
 *     import type { BtfTypes } from './vmlinux.js';
 *     const kernel = new TypedBtf<BtfTypes>(btf);
 *     const { pid } = kernel.view('struct task_struct', bytes);
 *
 * The declarations must be those of this BTF, since they are all that the compiler knows.
 */
export class TypedBtf<Types extends object> {
  readonly btf: Btf;
  readonly #views: StructViews;

  constructor(btf: Btf) {
    this.btf = btf;
    this.#views = new StructViews(btf);
  }

  /** A copy of the value at the start of `bytes`. */
  read<Name extends keyof Types & string>(name: Name, bytes: Uint8Array): Types[Name] {
    // The one place where declarations are believed.
    return decodeValue(this.btf, this.idOf(name), bytes) as Types[Name];
  }

  /**
   * The value without copying: of structs and unions an object that reads a member when it is asked for, from the bytes as
   * they are then. Too few bytes for the type are an EINVAL `BpfError`.
   */
  view<Name extends keyof Types & string>(name: Name, bytes: Uint8Array): Types[Name] {
    return this.#views.of(this.idOf(name), bytes) as Types[Name];
  }

  /** Size, alignment and offsets of a struct or union, as BtfLayouts has them. */
  layout(name: keyof Types & string): BtfLayout {
    const id = this.idOf(name);
    const type = this.btf.resolve(id);
    const members = type.kind === 'struct' || type.kind === 'union' ? namedMembers(this.btf, type) : [];
    const offsets = members
      .filter(({ bitSize }) => bitSize === 0)
      .map(({ name: member, bitOffset }) => [member, Math.floor(bitOffset / 8)] as const);
    return { size: this.btf.sizeOf(id), align: this.btf.alignmentOf(id), offsets: Object.fromEntries(offsets) };
  }

  /** Id of the type of that C name. */
  idOf(name: keyof Types & string): number {
    const [, kind, plain = ''] = NAME.exec(name) ?? [];
    const id = this.btf.idsByName(plain).find((each) => {
      const found = this.btf.kindOf(each);
      return found === kind || (kind === 'enum' && found === 'enum64');
    });
    if (id !== undefined) return id;
    throw new BpfError('ENOENT', 'this BTF has no such type', {
      value: name,
      remedy: 'the declarations were made of another BTF; generate them anew',
    });
  }
}
