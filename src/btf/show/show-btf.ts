import { readBits } from '../bits.js';
import type { Btf } from '../btf.js';
import { BtfKindNumber } from '../kinds.js';
import type { BtfArray, BtfComposite, BtfEnum, BtfInt, BtfMember } from '../types.js';
import { showName } from './show-name.js';

/** How `showBtf` writes (BTF_F_*). */
export interface ShowBtfOptions {
  /** All on one line. */
  readonly compact?: boolean;
  /** Without names of types and members. */
  readonly noName?: boolean;
  /** Members and elements that are 0, too. */
  readonly zero?: boolean;
}

export interface ShownBtf {
  /** A character for each byte. */
  readonly text: string;
  /** Some of it could not be read. */
  readonly faulted: boolean;
}

/** Bytes `offset` to `offset + size` of the value, or null where they cannot be read. */
export type ReadValue = (offset: number, size: number) => Uint8Array | null;

/** Nested structs, unions and arrays; BTF of kernels has far fewer. */
const MAX_DEPTH = 64;
const MAX_INDENT = 32;
/** Values that are looked at: types of a hostile kernel may hold each other, or arrays without end. */
const MAX_VALUES = 1 << 18;

/**
 * A value as the kernel's bpf_snprintf_btf() writes it (btf_type_show() in kernel/bpf/btf.c): fields that are 0 left out unless they
 * are asked for, bit-fields in hexadecimal, `char`s of arrays in quotes up to the first NUL. Where the kernel repeats the first element
 * of an array of pointers or arrays for each, this does, too. Kinds that have no values show as `<unsupported kind:N>`. Types that
 * lead nowhere are a `BpfError`; of types without end, the first 2^18 values are shown.
 */
export function showBtf(btf: Btf, typeId: number, read: ReadValue, options: ShowBtfOptions = {}): ShownBtf {
  const shower = new Shower(btf, read, options);
  shower.show(typeId, 0, 0);
  return { text: shower.text, faulted: shower.faulted };
}

class Shower {
  text = '';
  faulted = false;
  readonly #btf: Btf;
  readonly #read: ReadValue;
  readonly #options: ShowBtfOptions;
  #depth = 0;
  #left = MAX_VALUES;
  /** Bytes of the whole value, where it is a struct or simple. */
  #end = Infinity;
  /** Deepest value that was shown so far. */
  #shown = 0;
  /** While it is only found out whether anything is shown, nothing is written. */
  #isTrial = false;
  #member: string | undefined;
  #isElement = false;
  /** In an array of characters, which ends at the first that is 0. */
  #isText = false;
  #isTerminated = false;

  constructor(btf: Btf, read: ReadValue, options: ShowBtfOptions) {
    this.#btf = btf;
    this.#read = read;
    this.#options = options;
  }

  show(typeId: number, at: number, bitOffset: number): void {
    if (this.#left-- <= 0) return;
    const type = this.#btf.resolve(typeId);
    if (this.#depth === 0 && 'size' in type) this.#end = type.size;
    switch (type.kind) {
      case 'int':
        return this.#int(type, typeId, at, bitOffset);
      case 'enum':
      case 'enum64':
        return this.#enum(type, typeId, at);
      case 'ptr':
        return this.#pointer(typeId, at);
      case 'array':
        return this.#tryFirst(() => this.#array(type, typeId, at));
      case 'struct':
      case 'union':
        return this.#tryFirst(() => this.#record(type, typeId, at));
      default:
        return this.#write(`<unsupported kind:${BtfKindNumber[type.kind] ?? 0}>`);
    }
  }

  /** What is inside another is looked at first: where all of it is 0, it is not shown. */
  #tryFirst(write: () => void): void {
    const { zero = false } = this.#options;
    const member = this.#member;
    if (this.#depth > MAX_DEPTH) return;
    if (this.#depth > 0 && !zero) {
      if (this.#isTrial) return write();
      this.#isTrial = true;
      this.#shown = 0;
      write();
      this.#member = member;
      this.#isTrial = false;
      if (this.#shown <= this.#depth) return;
    }
    write();
  }

  #record({ members }: BtfComposite, typeId: number, at: number): void {
    if (!this.#begin(typeId, at)) return;
    for (const member of members) this.#showMember(member, at);
    this.#close('}');
  }

  #showMember(member: BtfMember, at: number): void {
    this.#member = member.name;
    const offset = at + Math.floor(member.bitOffset / 8);
    if (member.bitSize > 0) this.#bitField(member, offset);
    else this.show(member.type, offset, member.bitOffset % 8);
    this.#member = undefined;
  }

  #bitField({ type, bitOffset, bitSize }: BtfMember, at: number): void {
    const bits = this.#bits(at, bitOffset % 8, bitSize);
    if (bits !== null) this.#value(type, `0x${bits.toString(16)}`, bits === 0n);
  }

  #array(array: BtfArray, typeId: number, at: number): void {
    const element = this.#btf.resolve(array.elementType);
    const size = 'size' in element ? element.size : 0;
    this.#isText = element.kind === 'int' && size === 1;
    this.#isTerminated = false;
    if (!this.#begin(typeId, at)) return;
    this.faulted = false;
    for (let i = 0; i < array.count && !this.#isTerminated && !this.faulted && this.#left > 0; i++) {
      this.#isElement = true;
      this.#member = undefined;
      this.show(array.elementType, at + i * size, 0);
      this.#isElement = false;
    }
    this.#isText = false;
    this.#isTerminated = false;
    this.#close(']');
  }

  #int(type: BtfInt, typeId: number, at: number, bitOffset: number): void {
    const { size, bits, signed } = type;
    const isWhole = bitOffset === 0 && type.bitOffset === 0 && [8, 16, 32, 64].includes(bits);
    const raw = this.#bits(at, bitOffset + type.bitOffset, bits);
    if (raw === null) return;
    if (!isWhole) return this.#value(typeId, `0x${raw.toString(16)}`, raw === 0n);
    if (size === 1 && this.#isText && this.#character(typeId, Number(raw))) return;
    this.#value(typeId, String(signed ? BigInt.asIntN(bits, raw) : raw), raw === 0n);
  }

  /** Whether that was all there is to say of it. */
  #character(typeId: number, code: number): boolean {
    if (this.#isTerminated || code === 0) {
      this.#isTerminated = true;
      return true;
    }
    const isPrintable = (code >= 0x20 && code < 0x7f) || code >= 0xa0;
    if (isPrintable) this.#value(typeId, `'${String.fromCharCode(code)}'`, false);
    return isPrintable;
  }

  /** The kernel takes a narrow one for an int. What it has behind the end of the whole value is chance; here it is 0. */
  #enum({ kind, signed, values }: BtfEnum, typeId: number, at: number): void {
    const width = kind === 'enum64' ? 64 : 32;
    const raw = this.#bits(at, 0, Math.min(width, 8 * Math.max(this.#end - at, 0)));
    if (raw === null) return;
    const value = signed ? BigInt.asIntN(width, raw) : raw;
    const name = values.find((one) => BigInt.asUintN(width, one.value) === raw)?.name;
    this.#value(typeId, name ?? String(value), name === undefined && raw === 0n);
  }

  #pointer(typeId: number, at: number): void {
    const width = this.#btf.pointerSize;
    const raw = this.#bits(at, 0, 8 * width);
    if (raw !== null) this.#value(typeId, `0x${raw.toString(16).padStart(2 * width, '0')}`, raw === 0n);
  }

  #bits(at: number, offset: number, count: number): bigint | null {
    const bytes = this.#read(at, Math.ceil((offset + count) / 8));
    this.faulted = bytes === null;
    return bytes === null ? null : readBits(bytes, offset, count, this.#btf.littleEndian);
  }

  #value(typeId: number, value: string, isZero: boolean): void {
    const { zero = false } = this.#options;
    if (isZero && !zero && this.#depth > 0) return;
    this.#write(`${this.#indent}${this.#name(typeId)}${value}${this.#delimiter}${this.#newline}`);
    this.#shown = Math.max(this.#shown, this.#depth);
  }

  #begin(typeId: number, at: number): boolean {
    if (this.#read(at, 1) === null) {
      this.faulted = true;
      return false;
    }
    this.#write(`${this.#indent}${this.#name(typeId)}${this.#newline}`);
    this.#depth++;
    return true;
  }

  #close(closing: string): void {
    this.#depth--;
    this.#write(`${this.#indent}${closing}${this.#delimiter}${this.#newline}`);
  }

  #write(text: string): void {
    if (!this.#isTrial) this.text += text;
  }

  get #indent(): string {
    return this.#options.compact === true ? '' : ' '.repeat(Math.min(this.#depth, MAX_INDENT));
  }

  get #newline(): string {
    return this.#options.compact === true ? '' : '\n';
  }

  get #delimiter(): string {
    return this.#depth === 0 ? '' : ',';
  }

  #name(typeId: number): string {
    return this.#isElement ? '' : showName(this.#btf, typeId, this.#member, this.#options.noName === true);
  }
}
