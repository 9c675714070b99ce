import { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import type { BpfRunCtx } from '../run-context.js';

/** Strings longer than this are no constants of a program. */
const LIMIT = 1 << 16;

/** The bytes of a NUL-terminated string in BpfMemory, without the NUL; undefined where there is none. */
export function constString(run: BpfRunCtx, lo: number, hi: number): Uint8Array | undefined {
  const start = lo >>> 0;
  if (hi !== BPF_MEMORY_HI || start === 0) return undefined;
  const { u8 } = run.runtime.memory;
  const end = u8.subarray(start, start + LIMIT).indexOf(0);
  return end < 0 ? undefined : u8.subarray(start, start + end);
}
