import type { HostMemory, TraceEventDescriptor, TraceRecord } from '../host/index.js';
import { MAX_RECORD_SIZE } from './event-record.js';

/** Longest string taken from the host's memory, terminator included. */
const MAX_STRING = 4096;
const CHUNK = 64;
const FAULT = new TextEncoder().encode('(fault)\0');

/** Where an argument goes. */
export interface RecordField {
  readonly offset: number;
  readonly size: number;
  readonly isString: boolean;
}

/** How fields are written: integers by their size in bytes. */
const STRING = 0;

/** Writes the arguments into the fields, one for one, each at its natural alignment. */
export function fieldWriter(fields: readonly RecordField[]): TraceEventDescriptor['assign'] {
  const offsets = fields.map(({ offset }) => offset);
  const kinds = fields.map(({ size, isString }) => (isString ? STRING : size));
  return (args, record, memory) => {
    const { data, u16, i32, start } = record;
    for (let i = 0; i < kinds.length; i++) {
      const kind = kinds[i];
      const at = start + offsets[i];
      if (kind === 4) i32[at >>> 2] = args[2 * i];
      else if (kind === 8) {
        i32[at >>> 2] = args[2 * i];
        i32[(at >>> 2) + 1] = args[2 * i + 1];
      } else if (kind === 1) data[at] = args[2 * i];
      else if (kind === 2) u16[at >>> 1] = args[2 * i];
      else appendString(record, offsets[i], memory, args[2 * i], args[2 * i + 1]);
    }
  };
}

/**
 * Appends the NUL-terminated string at an address of kernel memory to a record, its NUL included, and leaves its place
 * in the `__data_loc` word at `field` (from the record's start): length in the high half, offset in the low half. Where
 * the string cannot be read on it ends; `(fault)` where there is none.
 */
function appendString(record: TraceRecord, field: number, memory: HostMemory, lo: number, hi: number): void {
  const { data, i32, start } = record;
  const offset = record.length;
  const room = MAX_RECORD_SIZE - offset;
  const length = readString(memory, lo, hi, data, start + offset, room) || putFault(data, start + offset, room);
  record.length = offset + length;
  i32[(start + field) >>> 2] = (length << 16) | offset;
}

/** Reads straight into the record: what a chunk brings behind the NUL is no part of it. The string's bytes, or 0. */
function readString(memory: HostMemory, lo: number, hi: number, data: Uint8Array, at: number, room: number): number {
  const limit = Math.min(MAX_STRING, room);
  let length = 0;
  while (length < limit) {
    const size = readSome(memory, lo, hi, length, data, at, Math.min(CHUNK, limit - length));
    if (size === 0) break;
    const end = length + size;
    for (; length < end; length++) if (data[at + length] === 0) return length + 1;
  }
  if (length > 0) data[at + length - 1] = 0;
  return length;
}

/** Reads `size` bytes from `skip` on, or byte by byte up to where memory ends; the number of bytes read. */
function readSome(
  memory: HostMemory,
  lo: number,
  hi: number,
  skip: number,
  data: Uint8Array,
  at: number,
  size: number,
): number {
  const sum = (lo >>> 0) + skip;
  const high = sum > 0xffff_ffff ? (hi + 1) | 0 : hi;
  if (memory.readKernel(sum | 0, high, data, at + skip, size)) return size;
  if (size === 1) return 0;
  let count = 0;
  while (count < size && readSome(memory, lo, hi, skip + count, data, at, 1) === 1) count++;
  return count;
}

function putFault(data: Uint8Array, at: number, room: number): number {
  const length = Math.min(FAULT.length, room);
  data.set(FAULT.subarray(0, length), at);
  return length;
}
