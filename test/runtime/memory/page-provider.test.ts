import { describe, expect, it } from 'vitest';
import { BpfMapFlag, BpfMapType } from '../../../src/base/index.js';
import { bpfOffset, BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';
import { PAGE_SIZE, type PageProvider } from '../../../src/runtime/memory/page-provider.js';
import { createMap, PerfRingArea } from '../../../src/runtime/index.js';

/** A host's own pages: the first 64 of the memory, which BpfMemory leaves alone. */
function hostMemory(): { memory: BpfMemory; taken: Map<number, number> } {
  const taken = new Map<number, number>();
  let next = PAGE_SIZE;
  const pages: PageProvider = {
    allocPages(count) {
      const offset = bpfOffset(next);
      next += count * PAGE_SIZE;
      taken.set(offset, count);
      return offset;
    },
    freePages(offset, count) {
      expect(taken.get(offset)).toBe(count);
      taken.delete(offset);
    },
  };
  const wasm = new WebAssembly.Memory({ initial: 16, maximum: 256 });
  return { memory: new BpfMemory({ memory: wasm, reserved: 64 * PAGE_SIZE, pages }), taken };
}

const spec = { name: 'm', keyTypeId: 0, valueTypeId: 0 };
const array = { ...spec, type: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 8, maxEntries: 600 };
const ring = { ...spec, type: BpfMapType.BPF_MAP_TYPE_RINGBUF, keySize: 0, valueSize: 0, maxEntries: 8192, flags: 0 };

describe('pages that a host maps elsewhere', () => {
  it.each([
    ['a ring buffer', ring, 1 + 1 + 1 + 2 * 2],
    ['an array with BPF_F_MMAPABLE', { ...array, flags: BpfMapFlag.BPF_F_MMAPABLE }, 2],
    ['an array without', { ...array, flags: 0 }, 0],
  ])('%s takes its pages from the provider and gives them back', (_, map, count) => {
    const { memory, taken } = hostMemory();
    const live = createMap({ memory, cpus: 1, id: 1 }, map);
    expect([...taken.values()].reduce((sum, pages) => sum + pages, 0)).toBe(count);
    live.release();
    expect(taken.size).toBe(0);
  });

  it('a perf ring takes its metadata page and its data pages from there', () => {
    const { memory, taken } = hostMemory();
    const area = new PerfRingArea(memory, { pages: 4 });
    expect([...taken]).toEqual([[area.address, 5]]);
    area.dispose();
    expect(taken.size).toBe(0);
  });
});
