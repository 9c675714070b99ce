import { hi32, lo32, s64 } from '../../base/index.js';
import type { BpfMemory } from '../memory/bpf-memory.js';
import type { Op } from './op.js';

/**
 * Atomic operations on memory that other threads may touch at the same time. Offsets are multiples of the size; `r` is
 * the register file, `d` and `s` are the indexes of low words.
 */

/** 64-bit operations have the numbers of the 32-bit ones plus this. */
const WIDE = 10;
/** Index of the low word of r0. */
const R0 = 0;

/** Read-modify-write number `op`: tries until no other thread came between. */
export function modifyShared(memory: BpfMemory, r: Int32Array, op: number, at: number, s: number): void {
  const isWide = op >= (99 satisfies Op['atomic_add_u64']);
  const kind = isWide ? op - WIDE : op;
  const exchange = isWide ? exchange64 : exchange32;
  const operand = isWide ? s64(r[s], r[s + 1]) : BigInt(r[s]);
  const expected = isWide ? s64(r[R0], r[R0 + 1]) : BigInt(r[R0]);
  let old: bigint;
  let seen = exchange(memory, at, 0n, 0n);
  do {
    old = seen;
    seen = exchange(memory, at, old, modified(kind, old, operand, expected));
  } while (seen !== old);
  if (kind < (93 satisfies Op['atomic_fetch_add_u32'])) return;
  const target = kind === (98 satisfies Op['cmpxchg_u32']) ? R0 : s;
  r[target] = lo32(old);
  r[target + 1] = isWide ? hi32(old) : 0;
}

export function loadAcquire({ wasm }: BpfMemory, r: Int32Array, d: number, at: number, size: number): void {
  const { buffer } = wasm;
  r[d + 1] = 0;
  switch (size) {
    case 1:
      r[d] = Atomics.load(new Uint8Array(buffer, at, 1), 0);
      return;
    case 2:
      r[d] = Atomics.load(new Uint16Array(buffer, at, 1), 0);
      return;
    case 4:
      r[d] = Atomics.load(new Int32Array(buffer, at, 1), 0);
      return;
    default: {
      const value = Atomics.load(new BigInt64Array(buffer, at, 1), 0);
      r[d] = lo32(value);
      r[d + 1] = hi32(value);
    }
  }
}

export function storeRelease({ wasm }: BpfMemory, r: Int32Array, s: number, at: number, size: number): void {
  const { buffer } = wasm;
  switch (size) {
    case 1:
      Atomics.store(new Uint8Array(buffer, at, 1), 0, r[s]);
      return;
    case 2:
      Atomics.store(new Uint16Array(buffer, at, 1), 0, r[s]);
      return;
    case 4:
      Atomics.store(new Int32Array(buffer, at, 1), 0, r[s]);
      return;
    default:
      Atomics.store(new BigInt64Array(buffer, at, 1), 0, s64(r[s], r[s + 1]));
  }
}

/** What stands in memory after an operation of the 32-bit numbers; bits beyond its size do not matter. */
function modified(kind: number, old: bigint, operand: bigint, expected: bigint): bigint {
  switch (kind) {
    case 89 satisfies Op['atomic_add_u32']:
    case 93 satisfies Op['atomic_fetch_add_u32']:
      return old + operand;
    case 90 satisfies Op['atomic_or_u32']:
    case 94 satisfies Op['atomic_fetch_or_u32']:
      return old | operand;
    case 91 satisfies Op['atomic_and_u32']:
    case 95 satisfies Op['atomic_fetch_and_u32']:
      return old & operand;
    case 92 satisfies Op['atomic_xor_u32']:
    case 96 satisfies Op['atomic_fetch_xor_u32']:
      return old ^ operand;
    case 98 satisfies Op['cmpxchg_u32']:
      return old === expected ? operand : old;
    default:
      return operand;
  }
}

/** Puts `wanted` in the place of `expected`; what was found there, signed. */
function exchange32({ i32 }: BpfMemory, at: number, expected: bigint, wanted: bigint): bigint {
  return BigInt(Atomics.compareExchange(i32, at >>> 2, lo32(expected), lo32(wanted)));
}

function exchange64({ wasm }: BpfMemory, at: number, expected: bigint, wanted: bigint): bigint {
  return Atomics.compareExchange(new BigInt64Array(wasm.buffer, at, 1), 0, expected, wanted);
}
