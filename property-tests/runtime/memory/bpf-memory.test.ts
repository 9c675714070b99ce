import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfMemory, type BpfOffset } from '../../../src/runtime/memory/bpf-memory.js';

type Step = { readonly alloc: number; readonly align: number } | { readonly free: number };

const steps = fc.array(
  fc.oneof(
    fc.record({ alloc: fc.integer({ min: 1, max: 5000 }), align: fc.constantFrom(16, 64, 4096) }),
    fc.record({ free: fc.nat(50) }),
  ),
  { maxLength: 80 },
);

describe('allocation', () => {
  it('hands out aligned, zeroed blocks that never overlap, and gets all of them back', () => {
    fc.assert(fc.property(steps, (list) => check(list)));
  });
});

function check(list: readonly Step[]): void {
  const memory = new BpfMemory();
  const live: { offset: BpfOffset; size: number; mark: number }[] = [];
  const release = (index: number): void => {
    const [block] = live.splice(index, 1);
    const bytes = memory.u8.subarray(block.offset, block.offset + block.size);
    expect(bytes.every((byte) => byte === block.mark)).toBe(true);
    memory.free(block.offset, block.size);
  };
  list.forEach((step, i) => {
    if ('alloc' in step) {
      const offset = memory.alloc(step.alloc, step.align);
      expect(offset % step.align).toBe(0);
      const bytes = memory.u8.subarray(offset, offset + step.alloc);
      expect(bytes.every((byte) => byte === 0)).toBe(true);
      bytes.fill(i + 1);
      live.push({ offset, size: step.alloc, mark: i + 1 });
    } else if (live.length > 0) {
      release(step.free % live.length);
    }
  });
  while (live.length > 0) release(0);
  expect(memory.used).toBe(0);
}
