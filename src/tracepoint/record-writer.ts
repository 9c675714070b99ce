import type { HostMemory, TraceRecord } from '../host/index.js';
import { MAX_RECORD_SIZE } from './event-record.js';

/** Longest string taken from the host's memory, terminator included. */
const MAX_STRING = 4096;
const CHUNK = 64;

/**
 * Appends dynamic data to a record and leaves its place in the `__data_loc` word at `field` (from the record's start):
 * length in the high half, offset in the low half. What does not fit is cut off.
 */
export function appendDynamic(record: TraceRecord, field: number, bytes: Uint8Array): void {
  const { data, view, start } = record;
  const offset = record.length;
  const length = Math.min(bytes.length, MAX_RECORD_SIZE - offset);
  data.set(bytes.subarray(0, length), start + offset);
  record.length = offset + length;
  view.setUint32(start + field, ((length << 16) | offset) >>> 0, true);
}

/** The NUL-terminated string at an address of kernel memory, its NUL included; `(fault)` where there is none. */
export function readString(memory: HostMemory, lo: number, hi: number): Uint8Array {
  const bytes = new Uint8Array(MAX_STRING);
  let length = 0;
  while (length < MAX_STRING) {
    const address = addressPlus(lo, hi, length);
    const size = readSome(memory, address, bytes, length);
    if (size === 0) break;
    const end = bytes.subarray(length, length + size).indexOf(0);
    if (end >= 0) return bytes.subarray(0, length + end + 1);
    length += size;
  }
  if (length === 0) return FAULT;
  bytes[length - 1] = 0;
  return bytes.subarray(0, length);
}

const FAULT = new TextEncoder().encode('(fault)\0');

/** Reads a chunk, or byte by byte up to where memory ends; the number of bytes read. */
function readSome(memory: HostMemory, at: [number, number], bytes: Uint8Array, offset: number): number {
  if (memory.readKernel(at[0], at[1], bytes, offset, CHUNK)) return CHUNK;
  let size = 0;
  while (size < CHUNK) {
    const [lo, hi] = addressPlus(at[0], at[1], size);
    if (!memory.readKernel(lo, hi, bytes, offset + size, 1)) break;
    size++;
  }
  return size;
}

function addressPlus(lo: number, hi: number, add: number): [number, number] {
  const sum = (lo >>> 0) + add;
  return [sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi];
}
