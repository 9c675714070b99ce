import fc from 'fast-check';
import { describe, it } from 'vitest';
import { BpfError } from '../../../src/base/index.js';
import { GuestWords } from '../../../src/host/v86/guest-words.js';
import { findTaskLayout } from '../../../src/host/v86/task-layout.js';
import { CURRENT_TASK, imageOf, kernelMemory, memoryOf, PER_CPU, textOf } from '../../../test/host/v86/task-memory.js';

const numRuns = Number(process.env['KSCOPE_CASES'] ?? 200);
const kernels = fc.record({
  realParent: fc.integer({ min: 16, max: 700 }).map((word) => 4 * word),
  canary: fc.constantFrom(0 as const, 4 as const),
  comm: fc.integer({ min: 800, max: 1800 }).map((word) => 4 * word),
  key: fc.constantFrom(0 as const, 4 as const),
  name: fc.constantFrom('swapper', 'swapper/0'),
});

function layoutOf(bytes: Uint8Array, text: Uint8Array): ReturnType<typeof findTaskLayout> {
  return findTaskLayout(imageOf(bytes), text, new GuestWords(memoryOf(bytes)), PER_CPU);
}

describe('task layouts', () => {
  it('any kernel is found out', () => {
    fc.assert(
      fc.property(kernels, (kernel) => {
        const found = layoutOf(kernelMemory(kernel), textOf(CURRENT_TASK));
        return (
          found.realParent === kernel.realParent && found.comm === kernel.comm && found.currentTask === CURRENT_TASK
        );
      }),
      { numRuns },
    );
  });

  it('any memory gives a layout or ENOENT', () => {
    const spoiled = fc.array(fc.tuple(fc.nat(0xffff), fc.uint8Array({ minLength: 1, maxLength: 8 })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(kernels, spoiled, fc.uint8Array({ maxLength: 64 }), (kernel, changes, noise) => {
        const bytes = kernelMemory(kernel);
        for (const [at, change] of changes) bytes.set(change.subarray(0, bytes.length - at), at);
        try {
          layoutOf(bytes, Uint8Array.of(...noise, ...textOf(CURRENT_TASK)));
          return true;
        } catch (error) {
          return error instanceof BpfError && error.code === 'ENOENT';
        }
      }),
      { numRuns },
    );
  });
});
