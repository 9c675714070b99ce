import { roundUp } from '../../../base/index.js';
import type { HostMemory, TraceEventDescriptor, TraceField, TraceRecord } from '../../index.js';

/** Bytes of the common header before the first field. */
const HEADER = 8;

/** C types of the fields: size, alignment, signedness. */
const TYPES: Readonly<Record<string, readonly [size: number, signed: boolean]>> = {
  char: [1, true],
  int: [4, true],
  'unsigned int': [4, false],
  long: [8, true],
  'unsigned long': [8, false],
  s64: [8, true],
  pid_t: [4, true],
  dev_t: [4, false],
  sector_t: [8, false],
  u64: [8, false],
  __u64: [8, false],
  u32: [4, false],
  __u32: [4, false],
  u16: [2, false],
  __u16: [2, false],
  u8: [1, false],
  __u8: [1, false],
  bool: [1, false],
  short: [2, true],
  'unsigned short': [2, false],
  'unsigned char': [1, false],
  size_t: [8, false],
  ino_t: [8, false],
  loff_t: [8, true],
  uid_t: [4, false],
  'void *': [8, false],
  'const void *': [8, false],
  'struct napi_struct *': [8, false],
  'enum skb_drop_reason': [4, false],
  'enum hrtimer_mode': [4, false],
  '__data_loc char[]': [4, true],
};

/**
 * Lays out the fields of a record as the kernel's macros do: in order, each at its natural alignment. A field
 * is written as in C: `char comm[16]`, `unsigned long args[6]`, `__data_loc char[] name`.
 */
export function layoutFields(declarations: readonly string[]): TraceField[] {
  let at = HEADER;
  return declarations.map((declaration) => {
    const match = /^(.*?)(\w+)(?:\[(\d+)\])?$/.exec(declaration);
    const type = (match?.[1] ?? '').trim();
    const known = TYPES[type];
    if (match === null || known === undefined) throw new RangeError(`field declaration '${declaration}'`);
    const [size, signed] = known;
    const arrayLength = Number(match[3] ?? 0);
    const offset = roundUp(at, size);
    at = offset + size * Math.max(1, arrayLength);
    return { name: match[2], type, arrayLength, offset, size: at - offset, signed };
  });
}

/** Bytes of the fixed part: the last field's end, aligned as the struct is. */
export function recordSize(fields: readonly TraceField[]): number {
  const last = fields.at(-1);
  const end = last === undefined ? HEADER : last.offset + last.size;
  const alignment = Math.max(4, ...fields.map(({ size, arrayLength }) => size / Math.max(1, arrayLength)));
  return roundUp(end, alignment);
}

export type Assign = (args: Int32Array, record: TraceRecord, memory: HostMemory) => void;

/** A trace event from its field declarations. */
export function traceEvent(
  system: string,
  name: string,
  declarations: readonly string[],
  printFmt: string,
  assign: Assign,
): TraceEventDescriptor {
  const fields = layoutFields(declarations);
  return { system, name, fields, size: recordSize(fields), printFmt, assign };
}

/** Writes a 32-bit field. */
export function put32(record: TraceRecord, offset: number, value: number): void {
  record.i32[(record.start + offset) >>> 2] = value;
}

/** Writes argument `index` (a word pair of `args`) as a 64-bit field. */
export function putArg(record: TraceRecord, offset: number, args: Int32Array, index: number): void {
  putPair(record, offset, args[2 * index], args[2 * index + 1]);
}

export function putPair(record: TraceRecord, offset: number, lo: number, hi: number): void {
  const word = (record.start + offset) >>> 2;
  record.i32[word] = lo;
  record.i32[word + 1] = hi;
}

/** Appends a NUL-terminated text and leaves its place (length high, offset low) in the word at `offset`. */
export function putText(record: TraceRecord, offset: number, text: Uint8Array): void {
  const at = record.length;
  record.data.set(text, record.start + at);
  record.data[record.start + at + text.length] = 0;
  record.length = at + text.length + 1;
  put32(record, offset, ((text.length + 1) << 16) | at);
}
