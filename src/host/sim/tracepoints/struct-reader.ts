import type { HostMemory } from '../../index.js';

const TEXT_MAX = 256;
const scratch = new Uint8Array(8);
const view = new DataView(scratch.buffer);

/** Reads members of simulated structs; a fault reads as zero. */
export interface Pair {
  lo: number;
  hi: number;
}

export function read32(memory: HostMemory, lo: number, hi: number, offset: number): number {
  scratch.fill(0);
  const sum = (lo >>> 0) + offset;
  memory.readKernel(sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi, scratch, 0, 4);
  return view.getInt32(0, true);
}

export function read64(memory: HostMemory, lo: number, hi: number, offset: number): Pair {
  scratch.fill(0);
  const sum = (lo >>> 0) + offset;
  memory.readKernel(sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi, scratch, 0, 8);
  return { lo: view.getInt32(0, true), hi: view.getInt32(4, true) };
}

/** A member of 1, 2, 4 or 8 bytes, widened with zeros. */
export function readMember(memory: HostMemory, { lo, hi }: Pair, offset: number, size: number): Pair {
  scratch.fill(0);
  const sum = (lo >>> 0) + offset;
  memory.readKernel(sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi, scratch, 0, size);
  return { lo: view.getInt32(0, true), hi: view.getInt32(4, true) };
}

/** The text at an address up to its NUL, at most 255 bytes. */
export function readText(memory: HostMemory, { lo, hi }: Pair): Uint8Array {
  const bytes = new Uint8Array(TEXT_MAX);
  for (let i = 0; i < TEXT_MAX - 1; i++) {
    const sum = (lo >>> 0) + i;
    const ok = memory.readKernel(sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi, bytes, i, 1);
    if (!ok || bytes[i] === 0) return bytes.subarray(0, i);
  }
  return bytes.subarray(0, TEXT_MAX - 1);
}
