import type { Activation } from './activation.js';
import type { Op } from './op.js';
import { loadAcquire, modifyShared, storeRelease } from './shared-atomics.js';

/** Index of the words of r0, which cmpxchg compares with and returns in. */
const R0 = 0;

/**
 * Read-modify-write operations on `*(dst + x)`, loads that acquire and stores that release. A run is alone on memory
 * that is not shared, where they are atomic by being one step. Fetching forms leave the old value in src, cmpxchg in r0;
 * 32-bit ones zero-extend it.
 */
export function atomic(vm: Activation, op: number, d: number, s: number, x: number): void {
  if (op >= (109 satisfies Op['acquire8'])) {
    ordered(vm, op, d, s, x);
    return;
  }
  const { registers: r, guard } = vm;
  const { memory } = vm.run.runtime;
  const size = op < (99 satisfies Op['atomic_add_u64']) ? 4 : 8;
  guard.requireAligned(r[d], r[d + 1], x, size);
  const at = guard.writable(r[d], r[d + 1], x, size);
  if (memory.shared) modifyShared(memory, r, op, at, s);
  else if (size === 4) atomic32(memory.view, r, op, at, s);
  else atomic64(memory.view, r, op, at, s);
}

/** The sizes double from operation to operation. */
function ordered(vm: Activation, op: number, d: number, s: number, x: number): void {
  const { registers: r, guard } = vm;
  const { memory } = vm.run.runtime;
  if (op < (113 satisfies Op['release8'])) {
    const size = 1 << (op - (109 satisfies Op['acquire8']));
    guard.requireAligned(r[s], r[s + 1], x, size);
    loadAcquire(memory, r, d, guard.readable(r[s], r[s + 1], x, size), size);
  } else {
    const size = 1 << (op - (113 satisfies Op['release8']));
    guard.requireAligned(r[d], r[d + 1], x, size);
    storeRelease(memory, r, s, guard.writable(r[d], r[d + 1], x, size), size);
  }
}

function atomic32(view: DataView, r: Int32Array, op: number, at: number, s: number): void {
  const old = view.getInt32(at, true);
  const operand = r[s];
  switch (op) {
    case 89 satisfies Op['atomic_add_u32']:
      view.setInt32(at, old + operand, true);
      return;
    case 90 satisfies Op['atomic_or_u32']:
      view.setInt32(at, old | operand, true);
      return;
    case 91 satisfies Op['atomic_and_u32']:
      view.setInt32(at, old & operand, true);
      return;
    case 92 satisfies Op['atomic_xor_u32']:
      view.setInt32(at, old ^ operand, true);
      return;
    case 93 satisfies Op['atomic_fetch_add_u32']:
      view.setInt32(at, old + operand, true);
      break;
    case 94 satisfies Op['atomic_fetch_or_u32']:
      view.setInt32(at, old | operand, true);
      break;
    case 95 satisfies Op['atomic_fetch_and_u32']:
      view.setInt32(at, old & operand, true);
      break;
    case 96 satisfies Op['atomic_fetch_xor_u32']:
      view.setInt32(at, old ^ operand, true);
      break;
    case 97 satisfies Op['xchg_u32']:
      view.setInt32(at, operand, true);
      break;
    case 98 satisfies Op['cmpxchg_u32']:
      if (old === r[R0]) view.setInt32(at, operand, true);
      setPair(r, R0, old, 0);
      return;
  }
  setPair(r, s, old, 0);
}

function atomic64(view: DataView, r: Int32Array, op: number, at: number, s: number): void {
  const oldLo = view.getInt32(at, true);
  const oldHi = view.getInt32(at + 4, true);
  const lo = r[s];
  const hi = r[s + 1];
  switch (op) {
    case 99 satisfies Op['atomic_add_u64']:
      add64(view, at, lo, hi);
      return;
    case 100 satisfies Op['atomic_or_u64']:
      store64(view, at, oldLo | lo, oldHi | hi);
      return;
    case 101 satisfies Op['atomic_and_u64']:
      store64(view, at, oldLo & lo, oldHi & hi);
      return;
    case 102 satisfies Op['atomic_xor_u64']:
      store64(view, at, oldLo ^ lo, oldHi ^ hi);
      return;
    case 103 satisfies Op['atomic_fetch_add_u64']:
      add64(view, at, lo, hi);
      break;
    case 104 satisfies Op['atomic_fetch_or_u64']:
      store64(view, at, oldLo | lo, oldHi | hi);
      break;
    case 105 satisfies Op['atomic_fetch_and_u64']:
      store64(view, at, oldLo & lo, oldHi & hi);
      break;
    case 106 satisfies Op['atomic_fetch_xor_u64']:
      store64(view, at, oldLo ^ lo, oldHi ^ hi);
      break;
    case 107 satisfies Op['xchg_u64']:
      store64(view, at, lo, hi);
      break;
    case 108 satisfies Op['cmpxchg_u64']:
      if (oldLo === r[R0] && oldHi === r[R0 + 1]) store64(view, at, lo, hi);
      setPair(r, R0, oldLo, oldHi);
      return;
  }
  setPair(r, s, oldLo, oldHi);
}

function add64(view: DataView, at: number, lo: number, hi: number): void {
  const sum = view.getUint32(at, true) + (lo >>> 0);
  store64(view, at, sum, view.getInt32(at + 4, true) + hi + (sum > 0xffff_ffff ? 1 : 0));
}

function store64(view: DataView, at: number, lo: number, hi: number): void {
  view.setInt32(at, lo, true);
  view.setInt32(at + 4, hi, true);
}

function setPair(r: Int32Array, at: number, lo: number, hi: number): void {
  r[at] = lo;
  r[at + 1] = hi;
}
