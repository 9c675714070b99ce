import type { Btf, BtfArray, BtfInt, BtfType } from '../btf/index.js';
import { RawJson } from './json.js';

/** How a typed value is written: as bpftool's text shows it, or as its `-j` does. */
export type BpftoolStyle = 'text' | 'json';

const MAX_DEPTH = 64;

/**
 * A value as `bpftool map dump` prints it, for `toJson` or `toPrettyJson`: data sections by variable, in the order of their
 * places; structs and unions by member, those without a name under "", enumerators by name, arrays of `char` as text where they are printable and end, bit-fields, 128-bit integers and
 * pointers in hexadecimal (with -j pointers in decimal, the others as strings). Bytes that are not there read as 0.
 */
export function bpftoolValue(btf: Btf, typeId: number, bytes: Uint8Array, style: BpftoolStyle = 'text'): unknown {
  return new Printer(btf, style).value(typeId, bytes, 0);
}

class Printer {
  readonly #btf: Btf;
  readonly #style: BpftoolStyle;

  constructor(btf: Btf, style: BpftoolStyle) {
    this.#btf = btf;
    this.#style = style;
  }

  value(typeId: number, bytes: Uint8Array, depth: number): unknown {
    const type = this.#btf.resolve(typeId);
    if (depth > MAX_DEPTH) return null;
    switch (type.kind) {
      case 'int':
        return this.#int(type, bytes);
      case 'enum':
      case 'enum64': {
        const raw = this.#bits(bytes, 0, 8 * type.size);
        const value = type.signed ? BigInt.asIntN(8 * type.size, raw) : raw;
        return type.values.find((one) => one.value === value)?.name ?? BigInt.asIntN(8 * type.size, raw);
      }
      case 'ptr':
        return this.#pointer(this.#bits(bytes, 0, 8 * this.#btf.pointerSize));
      case 'array':
        return this.#array(type, bytes, depth);
      case 'struct':
      case 'union':
        return this.#members(type, bytes, depth);
      case 'var':
        return this.value(type.type, bytes, depth + 1);
      case 'datasec':
        return { [type.name]: this.#variables(type, bytes, depth) };
      default:
        return null;
    }
  }

  #variables({ vars }: Extract<BtfType, { kind: 'datasec' }>, bytes: Uint8Array, depth: number): unknown {
    return vars.map(({ type, offset, size }) => ({
      [this.#btf.nameOf(type)]: this.value(type, bytes.subarray(offset, offset + size), depth + 1),
    }));
  }

  #members(type: Extract<BtfType, { kind: 'struct' | 'union' }>, bytes: Uint8Array, depth: number): unknown {
    // Not an object from the start: a member may be called __proto__.
    const members = new Map<string, unknown>();
    for (const { name, type: memberType, bitOffset, bitSize } of type.members) {
      const value =
        bitSize > 0
          ? this.#hex(this.#bits(bytes, bitOffset, bitSize))
          : this.value(memberType, bytes.subarray(bitOffset / 8), depth + 1);
      members.set(name, value);
    }
    return Object.fromEntries(members);
  }

  #int({ size, bits, bitOffset, signed, bool, char }: BtfInt, bytes: Uint8Array): unknown {
    const raw = this.#bits(bytes, bitOffset, bits);
    if (size > 8 || bits !== 8 * size) return this.#hex(raw);
    if (bool) return raw !== 0n;
    if (char) return this.#character(Number(raw));
    return signed ? BigInt.asIntN(bits, raw) : raw;
  }

  /** Of the encoding BTF_INT_CHAR, which clang does not use for `char`. */
  #character(code: number): unknown {
    if (code >= 0x20 && code < 0x7f) return String.fromCharCode(code);
    const digits = code.toString(16).padStart(2, '0');
    return new RawJson(this.#style === 'text' ? `0x${code.toString(16)}` : `"\\u00${digits}"`);
  }

  #array(type: BtfArray, bytes: Uint8Array, depth: number): unknown {
    const text = this.#text(type, bytes);
    if (text !== undefined) return text;
    const size = this.#btf.sizeOf(type.elementType);
    return Array.from({ length: type.count }, (_, i) =>
      this.value(type.elementType, bytes.subarray(i * size, (i + 1) * size), depth + 1),
    );
  }

  /** Printable text up to a NUL, in an array of what is `char` itself and no typedef of it. */
  #text({ elementType, count }: BtfArray, bytes: Uint8Array): string | undefined {
    let element = this.#btf.byId(elementType);
    while (element.kind === 'const' || element.kind === 'volatile' || element.kind === 'restrict') {
      element = this.#btf.byId(element.type);
    }
    if (element.kind !== 'int' || element.size !== 1 || (!element.char && element.name !== 'char')) return undefined;
    const end = bytes.subarray(0, count).indexOf(0);
    if (end < 0) return undefined;
    const text = bytes.subarray(0, end);
    return text.every((byte) => byte > 0x1f && byte < 0x7f) ? String.fromCharCode(...text) : undefined;
  }

  #pointer(value: bigint): unknown {
    if (this.#style === 'json') return value;
    return new RawJson(value === 0n ? '(nil)' : `0x${value.toString(16)}`);
  }

  #hex(value: bigint): unknown {
    const digits = `0x${value.toString(16)}`;
    return this.#style === 'json' ? digits : new RawJson(digits);
  }

  #bits(bytes: Uint8Array, offset: number, count: number): bigint {
    const { littleEndian } = this.#btf;
    let value = 0n;
    const first = Math.floor(offset / 8);
    const last = Math.ceil((offset + count) / 8);
    for (let at = first; at < last; at++) {
      const byte = BigInt(bytes[littleEndian ? last - 1 - (at - first) : at] ?? 0);
      value = (value << 8n) | byte;
    }
    const drop = littleEndian ? offset - 8 * first : 8 * last - offset - count;
    return BigInt.asUintN(count, value >> BigInt(drop));
  }
}
