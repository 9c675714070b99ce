import {
  type Btf,
  type BtfComposite,
  type BtfEnum,
  type BtfMember,
  type BtfType,
  type BtfValue,
  decodeMember,
  isCharacter,
} from '../../btf/index.js';

/** Where the bits of a member are, from the start of the record. */
export interface BitRange {
  readonly bitOffset: number;
  readonly bits: number;
}

/** How a member can be had from the record's 32-bit words; `bytes`: only from all of its bytes. */
export type FieldShape =
  | (BitRange & { readonly kind: 'integer'; readonly signed: boolean; readonly wide: boolean })
  | (BitRange & { readonly kind: 'boolean' })
  | (BitRange & { readonly kind: 'enum'; readonly wide: boolean; readonly type: BtfEnum })
  | (BitRange & { readonly kind: 'float' })
  | (BitRange & { readonly kind: 'text' })
  | { readonly kind: 'bytes' };

/** One member of a record's type; those of anonymous structs and unions are members of the record. */
export interface EventField {
  readonly name: string;
  readonly shape: FieldShape;
  /** What `decodeValue` gives for it, from the bytes of the record. */
  decode(record: Uint8Array): BtfValue;
}

/** Longest text that is kept as words. */
const MAX_TEXT = 32;
const BYTES: FieldShape = { kind: 'bytes' };

/** The members of `type` in the order in which `decodeValue` lists them: of two with one name the later counts. */
export function eventFields(btf: Btf, type: BtfComposite): EventField[] {
  const fields = new Map<string, EventField>();
  collect(btf, type, 0, 8 * type.size, fields);
  return [...fields.values()];
}

function collect(btf: Btf, type: BtfComposite, start: number, end: number, fields: Map<string, EventField>): void {
  for (const member of type.members) {
    const bitOffset = start + member.bitOffset;
    const resolved = btf.resolve(member.type);
    if (member.name !== '') {
      fields.set(member.name, {
        name: member.name,
        shape: within(end, shapeOf(btf, member, resolved, bitOffset)),
        decode: (record) => decodeMember(btf, member, record.subarray(start / 8)),
      });
    } else if (resolved.kind === 'struct' || resolved.kind === 'union') {
      collect(btf, resolved, bitOffset, end, fields);
    }
  }
}

/** Corrupt types may reach beyond the record: then the decoder must see where its bytes end. */
function within(end: number, shape: FieldShape): FieldShape {
  return shape.kind === 'bytes' || shape.bitOffset + shape.bits <= end ? shape : BYTES;
}

function shapeOf(btf: Btf, { bitSize }: BtfMember, type: BtfType, bitOffset: number): FieldShape {
  if (!btf.littleEndian) return BYTES;
  switch (type.kind) {
    case 'int': {
      const bits = bitSize || 8 * type.size;
      if (bits > 64 || type.size > 8) return BYTES;
      if (type.bool) return { kind: 'boolean', bitOffset, bits };
      return { kind: 'integer', bitOffset, bits, signed: type.signed, wide: type.size > 4 };
    }
    case 'enum':
    case 'enum64': {
      const bits = bitSize || 8 * type.size;
      return bits > 64 || type.size > 8 ? BYTES : { kind: 'enum', bitOffset, bits, wide: type.size > 4, type };
    }
    case 'ptr':
      return bitSize > 0 ? BYTES : { kind: 'integer', bitOffset, bits: 8 * btf.pointerSize, signed: false, wide: true };
    case 'float':
      return bitSize > 0 || (type.size !== 4 && type.size !== 8)
        ? BYTES
        : { kind: 'float', bitOffset, bits: 8 * type.size };
    case 'array': {
      const isText = isCharacter(btf.resolve(type.elementType)) && type.count > 0 && type.count <= MAX_TEXT;
      return isText && bitSize === 0 && bitOffset % 8 === 0 ? { kind: 'text', bitOffset, bits: 8 * type.count } : BYTES;
    }
    default:
      return BYTES;
  }
}
