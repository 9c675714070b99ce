import { Errno, hi32, lo32, roundUp } from '../../base/index.js';
import type { BpfRunCtx } from '../run-context.js';
import { FormatOutput, type FieldSpec } from './format-output.js';
import { readHost, readHostString, type AddressSpace } from './host-read.js';
import { formatAddress, formatIp, formatReturnAddress } from './format-pointer.js';

/** Bytes that the arguments may take together once they are collected (MAX_BPRINTF_BIN_ARGS). */
const MAX_ARGUMENT_BYTES = 512;
/** FIELD_WIDTH_MAX */
const MAX_WIDTH = (1 << 23) - 1;

/** One conversion: where it reads on, and what it prints. */
interface Conversion {
  /** Index after the conversion. */
  readonly end: number;
  readonly kind: 'integer' | 'char' | 'string' | 'pointer' | 'address' | 'backtrace' | 'ip';
  readonly field: FieldSpec;
  /** integer: i d u x X; pointer: '', x, K; address: s S; string: s k u; ip: i4 I4 i6 I6 */
  readonly letter: string;
  /** Bytes of an integer. */
  readonly size: 4 | 8;
}

/**
 * Formats as bpf_trace_printk(), bpf_trace_vprintk() and bpf_snprintf() do (bpf_bprintf_prepare() in
 * kernel/bpf/helpers.c): a subset of printk's conversions, each checked before anything is printed.
 * Returns -EINVAL for a format outside of it or with more conversions than `args`, -ENOSPC where the
 * strings together are too long. `%p` prints the address itself: there is nobody to hide it from.
 */
export function bpfFormat(
  run: BpfRunCtx,
  format: Uint8Array,
  args: readonly bigint[],
  limit: number,
): FormatOutput | number {
  const conversions = parseFormat(format, args.length);
  if (typeof conversions === 'number') return conversions;
  const printer = new Printer(run, new FormatOutput(limit));
  let at = 0;
  for (const [index, conversion] of conversions.entries()) {
    printer.literal(format, at, conversion.start);
    const error = printer.print(conversion, args[index]);
    if (error !== 0) return error;
    at = conversion.end;
  }
  printer.literal(format, at, format.length);
  return printer.output;
}

/** The conversions of a format with at most `maxArgs` of them, or -EINVAL. */
export function parseFormat(format: Uint8Array, maxArgs: number): (Conversion & { readonly start: number })[] | number {
  const text = String.fromCharCode(...format);
  const conversions: (Conversion & { start: number })[] = [];
  for (let i = 0; i < text.length; i++) {
    if (!isPrintable(format[i])) return -Errno.EINVAL;
    if (text[i] !== '%') continue;
    if (text[i + 1] === '%') {
      i++;
      continue;
    }
    if (conversions.length >= maxArgs) return -Errno.EINVAL;
    const conversion = parseConversion(text, i + 1);
    if (conversion === undefined) return -Errno.EINVAL;
    conversions.push({ ...conversion, start: i });
    i = conversion.end - 1;
  }
  return conversions;
}

/**
 * printk takes all letters and digits after a `%p` for part of it, beyond those that mean something. Bytes
 * above ASCII are judged as Latin-1, which is what the kernel's isalnum() does.
 */
const conversionPattern =
  /([0 +-]*)([1-9][0-9]*)?(?:(p[ku]s|s)(?![0-9A-Za-z\x80-\x9f\xc0-\xd6\xd8-\xf6\xf8-\xff])|(?:(p[iI][46])|(pB)|(p[sS])|(p[xK]))[0-9A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]*|(p)(?![0-9A-Za-z\x80-\x9f\xc0-\xd6\xd8-\xf6\xf8-\xff])|(c)|(l{0,2})([iduxX]))/y;

function parseConversion(text: string, start: number): Conversion | undefined {
  conversionPattern.lastIndex = start;
  const match = conversionPattern.exec(text);
  if (match === null) return undefined;
  const [whole, flags = '', width, string, ip, backtrace, address, pointer, plain, char, long = '', integer = ''] =
    match;
  const field = fieldOf(flags, width);
  const end = start + whole.length;
  if (string === 's') return { end, kind: 'string', field, letter: 's', size: 8 };
  if (string !== undefined) return { end, kind: 'string', field, letter: string[1], size: 8 };
  if (ip !== undefined) return { end, kind: 'ip', field, letter: ip.slice(1), size: 8 };
  if (backtrace !== undefined) return { end, kind: 'backtrace', field, letter: 'B', size: 8 };
  if (address !== undefined) return { end, kind: 'address', field, letter: address.slice(1), size: 8 };
  if (pointer !== undefined || plain !== undefined) return { end, kind: 'pointer', field, letter: '', size: 8 };
  if (char !== undefined) return { end, kind: 'char', field, letter: 'c', size: 4 };
  return { end, kind: 'integer', field, letter: integer, size: long === '' ? 4 : 8 };
}

function fieldOf(flags: string, width: string | undefined): FieldSpec {
  return {
    left: flags.includes('-'),
    plus: flags.includes('+'),
    space: flags.includes(' '),
    zero: flags.includes('0'),
    width: width === undefined ? -1 : Math.min(Number(width), MAX_WIDTH),
  };
}

/** ASCII that prints or separates, and every byte above ASCII: formats may be UTF-8. */
function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte !== 0x7f) || (byte >= 0x09 && byte <= 0x0d);
}

class Printer {
  readonly output: FormatOutput;
  readonly #run: BpfRunCtx;
  /** Bytes of the argument buffer that the arguments so far take. */
  #used = 0;

  constructor(run: BpfRunCtx, output: FormatOutput) {
    this.#run = run;
    this.output = output;
  }

  /** Text between conversions, `%%` folded. */
  literal(format: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      this.output.byte(format[i]);
      if (format[i] === 0x25) i++;
    }
  }

  /** 0 or -ENOSPC. */
  print(conversion: Conversion, arg: bigint): number {
    const { field, letter, size } = conversion;
    switch (conversion.kind) {
      case 'integer':
        return this.#take(size) || this.#integer(arg, conversion);
      case 'char':
        return this.#takeChar() || this.#done(this.output.string(Uint8Array.of(Number(arg & 0xffn)), field));
      case 'string':
        return this.#string(arg, letter, field);
      case 'pointer':
        return this.#take(8) || this.#pointer(arg, field);
      case 'address':
        return this.#take(8) || this.#done(this.output.string(this.#address(arg, letter), field));
      case 'backtrace':
        return this.#backtrace(arg);
      default:
        return this.#ip(arg, letter);
    }
  }

  #integer(arg: bigint, { field, letter, size }: Conversion): number {
    const signed = letter === 'd' || letter === 'i';
    const bits = size * 8;
    const value = signed ? BigInt.asIntN(bits, arg) : BigInt.asUintN(bits, arg);
    const magnitude = value < 0n ? -value : value;
    const digits = letter === 'x' || letter === 'X' ? magnitude.toString(16) : magnitude.toString();
    return this.#done(this.output.number(letter === 'X' ? digits.toUpperCase() : digits, value < 0n, signed, field));
  }

  #pointer(arg: bigint, field: FieldSpec): number {
    const digits = BigInt.asUintN(64, arg).toString(16);
    const full = field.width < 0 ? { ...field, width: 16, zero: true } : field;
    return this.#done(this.output.number(digits, false, false, full));
  }

  #string(arg: bigint, letter: string, field: FieldSpec): number {
    const room = MAX_ARGUMENT_BYTES - this.#used;
    if (room === 0) return -Errno.ENOSPC;
    const { host } = this.#run.runtime;
    const lo = lo32(arg);
    const hi = hi32(arg);
    const space: AddressSpace = letter === 'u' || (letter === 's' && host.memory.isUser(lo, hi)) ? 'user' : 'kernel';
    const bytes = new Uint8Array(room);
    const length = readHostString(this.#run, space, bytes, 0, room, lo, hi);
    this.#used += Math.max(length, 1);
    const text = bytes.subarray(0, Math.max(length - 1, 0));
    return this.#done(letter === 's' ? this.output.string(text, field) : this.output.prepared(text));
  }

  #ip(arg: bigint, letter: string): number {
    const bytes = new Uint8Array(letter.endsWith('4') ? 4 : 16);
    if (MAX_ARGUMENT_BYTES - this.#used < bytes.length) return -Errno.ENOSPC;
    readHost(this.#run, 'kernel', bytes, 0, bytes.length, lo32(arg), hi32(arg));
    return this.#text(formatIp(bytes, letter), 1);
  }

  #address(arg: bigint, letter: string): Uint8Array {
    return formatAddress(this.#run.runtime.host.symbols, BigInt.asUintN(64, arg), letter === 'S');
  }

  /** The symbol of the instruction before a return address, with the offset of the address itself. */
  #backtrace(arg: bigint): number {
    return this.#text(formatReturnAddress(this.#run.runtime.host.symbols, BigInt.asUintN(64, arg)), 1);
  }

  /** Text made while the arguments are collected: it takes part of their room, and has no field. */
  #text(text: Uint8Array, terminator: number): number {
    this.#used = Math.min(this.#used + text.length + terminator, MAX_ARGUMENT_BYTES);
    this.output.prepared(text);
    return 0;
  }

  #take(size: number): number {
    const start = roundUp(this.#used, 4);
    if (MAX_ARGUMENT_BYTES - start < size) return -Errno.ENOSPC;
    this.#used = start + size;
    return 0;
  }

  #takeChar(): number {
    if (this.#used === MAX_ARGUMENT_BYTES) return -Errno.ENOSPC;
    this.#used++;
    return 0;
  }

  #done(_printed: void): number {
    return 0;
  }
}
