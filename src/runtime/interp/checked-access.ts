import type { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import type { AccessGuard } from './access-guard.js';

/** V8 does not fold imported constants: as a literal this one saves a load in every memory access. */
const MEMORY_HI = -0x180 satisfies typeof BPF_MEMORY_HI;

/** Offset at which `size` bytes of `pointer + off` can be read: mostly in the stack or the region read last. */
export function readAt(guard: AccessGuard, lo: number, hi: number, off: number, size: number): number {
  const at = (lo + off) | 0;
  if (hi === MEMORY_HI) {
    if (at >= guard.stackStart && at <= guard.stackEnd - size) return at;
    if (at >= guard.readStart && at <= guard.readEnd - size) return at;
  }
  return guard.readable(lo, hi, off, size);
}

/** Offset at which `size` bytes of `pointer + off` can be written. */
export function writeAt(guard: AccessGuard, lo: number, hi: number, off: number, size: number): number {
  const at = (lo + off) | 0;
  if (hi === MEMORY_HI) {
    if (at >= guard.stackStart && at <= guard.stackEnd - size) return at;
    if (at >= guard.writeStart && at <= guard.writeEnd - size) return at;
  }
  return guard.writable(lo, hi, off, size);
}
