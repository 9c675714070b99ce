import { beforeEach, describe, expect, it } from 'vitest';
import { BpfMapType } from '../../../src/base/index.js';
import type { BpfMap } from '../../../src/runtime/index.js';
import { HelperBench } from './helper-bench.js';

const USER = 0x100n;
const FAST_CMP = 0x200n;
const REUSE = 0x400n;
const DEPTH = 4;

let bench: HelperBench;
let map: BpfMap;

beforeEach(() => {
  bench = new HelperBench();
  bench.host.kernelStack = [0xffff_ffff_8100_0001n, 0xffff_ffff_8100_0002n, 0xffff_ffff_8100_0003n];
  bench.host.userStack = [0x40_1000n, 0x40_2000n];
  map = bench.map({ type: BpfMapType.BPF_MAP_TYPE_STACK_TRACE, valueSize: 8 * DEPTH, maxEntries: 64 });
});

function stackId(flags: bigint): bigint {
  return bench.call('get_stackid', 0n, bench.pointer(map), flags);
}

function framesOf(id: bigint): bigint[] | number {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, Number(id), true);
  const value = map.sysLookup(key);
  if (typeof value === 'number') return value;
  return [...new BigUint64Array(value.buffer)];
}

describe('get_stackid', () => {
  it('stores the kernel stack, padded with zeros, and knows it again', () => {
    const id = stackId(0n);
    expect(id).toBeGreaterThanOrEqual(0n);
    expect(framesOf(id)).toEqual([...bench.host.kernelStack, 0n]);
    expect(stackId(0n)).toBe(id);
  });

  it('skips the innermost frames and takes no more than the map holds', () => {
    expect(framesOf(stackId(2n))).toEqual([0xffff_ffff_8100_0003n, 0n, 0n, 0n]);
    bench.host.kernelStack = Array.from({ length: 20 }, (_, i) => BigInt(i + 1));
    expect(framesOf(stackId(1n))).toEqual([2n, 3n, 4n, 5n]);
  });

  it('takes the user stack on demand', () => {
    expect(framesOf(stackId(USER))).toEqual([0x40_1000n, 0x40_2000n, 0n, 0n]);
  });

  it.each([
    ['as many frames skipped as there are', 3n, -14n],
    ['an unknown flag', 0x800n, -22n],
    ['a flag in the upper word', 1n << 32n, -22n],
  ])('%s: %d', (_what, flags, errno) => {
    expect(stackId(flags)).toBe(errno);
  });

  it('is -EFAULT where there is no stack at all', () => {
    bench.host.userStack = [];
    expect(stackId(USER)).toBe(-14n);
  });

  it('refuses a second stack in the same bucket unless told to reuse it', () => {
    map = bench.map({ type: BpfMapType.BPF_MAP_TYPE_STACK_TRACE, valueSize: 8 * DEPTH, maxEntries: 1 });
    expect(stackId(0n)).toBe(0n);
    expect(stackId(1n)).toBe(-17n);
    expect(stackId(1n | FAST_CMP), 'another hash').toBe(-17n);
    expect(stackId(1n | REUSE), 'no element is free to build the new stack in').toBe(-12n);
  });

  it('replaces the stack in the bucket where an element is free', () => {
    map = bench.map({ type: BpfMapType.BPF_MAP_TYPE_STACK_TRACE, valueSize: 8 * DEPTH, maxEntries: 2 });
    const id = stackId(0n);
    for (let skip = 1n; skip < 3n; skip++) {
      const other = stackId(skip | REUSE);
      expect(other === id ? framesOf(id) : other).not.toEqual(-12);
    }
  });

  it('is walked, taken out and deleted by the system calls', () => {
    const id = stackId(0n);
    const first = map.sysNextKey(null) as Uint8Array;
    expect(new DataView(first.buffer).getUint32(0, true)).toBe(Number(id));
    expect(map.sysNextKey(first)).toBe(-2);
    expect(map.sysDelete(first)).toBe(0);
    expect(map.sysDelete(first)).toBe(-2);
    expect(framesOf(id)).toBe(-2);
    stackId(0n);
    expect(map.sysLookupAndDelete(first)).toBeInstanceOf(Uint8Array);
    expect(framesOf(id)).toBe(-2);
  });
});

describe('get_stack', () => {
  function getStack(size: bigint, flags: bigint): bigint {
    bench.bytes(64).fill(0xee);
    return bench.call('get_stack', 0n, bench.at(), size, flags);
  }

  function words(count: number): bigint[] {
    return [...new BigUint64Array(bench.bytes(8 * count).slice().buffer)];
  }

  it('gives the bytes written and zeroes the rest', () => {
    expect(getStack(40n, 0n)).toBe(24n);
    expect(words(5)).toEqual([...bench.host.kernelStack, 0n, 0n]);
    expect(bench.bytes(1, 40)[0]).toBe(0xee);
  });

  it('fills the buffer when there are more frames', () => {
    expect(getStack(16n, 0n)).toBe(16n);
    expect(words(2)).toEqual(bench.host.kernelStack.slice(0, 2));
  });

  it('skips frames, down to none at all', () => {
    expect(getStack(32n, 1n | USER)).toBe(8n);
    expect(words(2)).toEqual([0x40_2000n, 0n]);
    expect(getStack(32n, 3n)).toBe(0n);
    expect(words(4)).toEqual([0n, 0n, 0n, 0n]);
  });

  it('an empty stack is no error', () => {
    bench.host.userStack = [];
    expect(getStack(32n, USER)).toBe(0n);
    expect(words(4)).toEqual([0n, 0n, 0n, 0n]);
  });

  it.each([
    ['a size that is no multiple of 8', 20n, 0n, -22n],
    ['an unknown flag', 24n, FAST_CMP, -22n],
    ['more frames skipped than there are', 24n, 4n, -14n],
  ])('%s is an error and zeroes the buffer', (_what, size, flags, errno) => {
    expect(getStack(size, flags)).toBe(errno);
    expect(bench.bytes(Number(size)).every((byte) => byte === 0)).toBe(true);
  });
});
