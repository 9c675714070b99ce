import { describe, expect, it } from 'vitest';
import { BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';
import { PerfMmapPage, PerfRingArea } from '../../../src/runtime/ring/perf-ring-area.js';

function record(size: number, fill: number): Uint8Array {
  const bytes = new Uint8Array(size).fill(fill);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 9, true);
  view.setUint16(4, 0, true);
  view.setUint16(6, size, true);
  return bytes;
}

describe('PerfRingArea', () => {
  it('lays out the metadata page at the kernel offsets', () => {
    const memory = new BpfMemory();
    const ring = new PerfRingArea(memory, { pages: 2 });
    expect(ring.address % 4096).toBe(0);
    expect(PerfMmapPage).toEqual({ size: 72, data_head: 1024, data_tail: 1032, data_offset: 1040, data_size: 1048 });
    expect(memory.view.getBigUint64(ring.address + 1040, true)).toBe(4096n);
    expect(memory.view.getBigUint64(ring.address + 1048, true)).toBe(8192n);
    expect([ring.head, ring.tail]).toEqual([0n, 0n]);
  });

  it.each([0, 3, -1, 1.5])('refuses %d data pages', (pages) => {
    expect(() => new PerfRingArea(new BpfMemory(), { pages })).toThrow(/EINVAL/);
  });

  it('keeps one byte free, counts what does not fit and reports it in front of the next record', () => {
    const memory = new BpfMemory();
    const ring = new PerfRingArea(memory, { pages: 1 });
    expect(ring.write(record(4096, 1), 0, 4096)).toBe(false);
    expect(ring.write(record(4088, 1), 0, 4088)).toBe(false);
    expect(ring.lostTotal).toBe(2n);
    expect(ring.write(record(16, 7), 0, 16)).toBe(true);
    expect(ring.head).toBe(40n);
    const data = ring.address + 4096;
    expect([...memory.u8.subarray(data, data + 24)]).toEqual([
      2, 0, 0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
    ]);
    expect([...memory.u8.subarray(data + 24, data + 40)]).toEqual([...record(16, 7)]);
  });

  it('continues a record at the beginning when it reaches the end', () => {
    const memory = new BpfMemory();
    const ring = new PerfRingArea(memory, { pages: 1 });
    expect(ring.write(record(4080, 1), 0, 4080)).toBe(true);
    ring.tail = ring.head;
    expect(ring.write(record(32, 9), 0, 32)).toBe(true);
    const data = ring.address + 4096;
    const wrapped = [...memory.u8.subarray(data + 4080, data + 4096), ...memory.u8.subarray(data, data + 16)];
    expect(wrapped).toEqual([...record(32, 9)]);
    expect(ring.head).toBe(4112n);
  });

  it('survives positions that wrap around 64 bits', () => {
    const memory = new BpfMemory();
    const ring = new PerfRingArea(memory, { pages: 1 });
    memory.view.setBigUint64(ring.address + 1024, 0xffff_ffff_ffff_fff0n, true);
    ring.tail = 0xffff_ffff_ffff_fff0n;
    expect(ring.write(record(32, 9), 0, 32)).toBe(true);
    expect(ring.head).toBe(16n);
    expect(ring.write(record(4064, 9), 0, 4064)).toBe(false);
    expect(ring.write(record(4032, 9), 0, 4032)).toBe(true);
  });

  it('lets the owner build the LOST record, and gives its memory back', () => {
    const memory = new BpfMemory();
    const used = memory.used;
    const counts: bigint[] = [];
    const lostRecord = (lost: bigint) => {
      counts.push(lost);
      return record(40, 5);
    };
    const ring = new PerfRingArea(memory, { pages: 1, lostRecord });
    ring.write(record(4096, 1), 0, 4096);
    expect(ring.write(record(16, 1), 0, 16)).toBe(true);
    expect(ring.head).toBe(56n);
    expect(counts).toEqual([1n]);
    ring.dispose();
    expect(memory.used).toBe(used);
  });
});
