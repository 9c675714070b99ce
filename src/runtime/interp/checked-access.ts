import { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import type { Activation } from './activation.js';
import type { Op } from './op.js';

/** Loads and stores anywhere, at any alignment. */
export function access(vm: Activation, op: number, d: number, s: number, x: number): void {
  if (op < (73 satisfies Op['store8'])) load(vm, op, d, s, x);
  else store(vm, op, d, s, x);
}

function load(vm: Activation, op: number, d: number, s: number, x: number): void {
  const { registers: r, guard, run } = vm;
  const { view } = run.runtime.memory;
  const lo = r[s];
  const hi = r[s + 1];
  switch (op) {
    case 65 satisfies Op['load8']:
      setPair(r, d, view.getUint8(guard.readable(lo, hi, x, 1)), 0);
      return;
    case 66 satisfies Op['load16']:
      setPair(r, d, view.getUint16(guard.readable(lo, hi, x, 2), true), 0);
      return;
    case 67 satisfies Op['load32']:
      setPair(r, d, view.getInt32(guard.readable(lo, hi, x, 4), true), 0);
      return;
    case 68 satisfies Op['load64']: {
      const at = guard.readable(lo, hi, x, 8);
      setPair(r, d, view.getInt32(at, true), view.getInt32(at + 4, true));
      return;
    }
    case 69 satisfies Op['loadsx8']:
      setSigned(r, d, view.getInt8(guard.readable(lo, hi, x, 1)));
      return;
    case 70 satisfies Op['loadsx16']:
      setSigned(r, d, view.getInt16(guard.readable(lo, hi, x, 2), true));
      return;
    case 71 satisfies Op['loadsx32']:
      setSigned(r, d, view.getInt32(guard.readable(lo, hi, x, 4), true));
      return;
    case 72 satisfies Op['loadPacketPointer']: {
      const isContext = hi === BPF_MEMORY_HI && lo >>> 0 === run.ctx;
      setPair(r, d, view.getInt32(guard.readable(lo, hi, x, 4), true), isContext ? BPF_MEMORY_HI : 0);
    }
  }
}

function store(vm: Activation, op: number, d: number, s: number, x: number): void {
  const { registers: r, guard, run } = vm;
  const { view } = run.runtime.memory;
  const lo = r[d];
  const hi = r[d + 1];
  switch (op) {
    case 73 satisfies Op['store8']:
      view.setInt8(guard.writable(lo, hi, x, 1), r[s]);
      return;
    case 74 satisfies Op['store16']:
      view.setInt16(guard.writable(lo, hi, x, 2), r[s], true);
      return;
    case 75 satisfies Op['store32']:
      view.setInt32(guard.writable(lo, hi, x, 4), r[s], true);
      return;
    case 76 satisfies Op['store64']: {
      const at = guard.writable(lo, hi, x, 8);
      view.setInt32(at, r[s], true);
      view.setInt32(at + 4, r[s + 1], true);
    }
  }
}

function setSigned(r: Int32Array, d: number, value: number): void {
  setPair(r, d, value, value >> 31);
}

function setPair(r: Int32Array, d: number, lo: number, hi: number): void {
  r[d] = lo;
  r[d + 1] = hi;
}
