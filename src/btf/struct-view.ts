import { BpfError } from '../base/index.js';
import type { Btf } from './btf.js';
import { namedMembers } from './dts/member-list.js';
import type { BtfComposite, BtfMember } from './types.js';
import { decodeMember, decodeValue, isCharacter } from './value-decoder.js';

type ViewClass = new (bytes: Uint8Array) => object;

/** Views of structs and unions of one BTF. A type's members become getters on a prototype that is made once. */
export class StructViews {
  readonly #btf: Btf;
  readonly #classes = new Map<number, ViewClass>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /** A view of a struct, union or array of these; of all else the value. */
  of(typeId: number, bytes: Uint8Array): unknown {
    const type = this.#btf.resolve(typeId);
    if (type.kind === 'struct' || type.kind === 'union') {
      if (bytes.length >= type.size) return new (this.#classOf(type))(bytes);
      throw new BpfError('EINVAL', `${type.kind} ${type.name} is cut short`, {
        section: '.BTF',
        value: bytes.length,
        remedy: `it takes ${type.size} bytes`,
      });
    }
    if (type.kind !== 'array') return decodeValue(this.#btf, typeId, bytes);
    const size = this.#btf.sizeOf(type.elementType);
    if (size === 0 || isCharacter(this.#btf.resolve(type.elementType))) return decodeValue(this.#btf, typeId, bytes);
    const length = type.count === 0 ? Math.floor(bytes.length / size) : type.count;
    return Array.from({ length }, (_, i) => this.of(type.elementType, bytes.subarray(i * size, (i + 1) * size)));
  }

  #classOf(type: BtfComposite): ViewClass {
    const known = this.#classes.get(type.id);
    if (known !== undefined) return known;
    const made = makeClass(namedMembers(this.#btf, type), (member, bytes) => this.#member(member, bytes));
    this.#classes.set(type.id, made);
    return made;
  }

  #member(member: BtfMember, bytes: Uint8Array): unknown {
    return member.bitSize > 0
      ? decodeMember(this.#btf, member, bytes)
      : this.of(member.type, bytes.subarray(Math.floor(member.bitOffset / 8)));
  }
}

function makeClass(members: readonly BtfMember[], read: (member: BtfMember, bytes: Uint8Array) => unknown): ViewClass {
  class View {
    readonly #bytes: Uint8Array;

    constructor(bytes: Uint8Array) {
      this.#bytes = bytes;
    }

    static bytesOf(view: View): Uint8Array {
      return view.#bytes;
    }
  }
  for (const member of members) {
    Object.defineProperty(View.prototype, member.name, {
      enumerable: true,
      get(this: View): unknown {
        return read(member, View.bytesOf(this));
      },
    });
  }
  return View;
}
