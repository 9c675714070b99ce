import { describe, expect, it } from 'vitest';
import { BpfError, PerfEventType } from '../../src/base/index.js';
import { openPerfBuffer, parsePerfEventAttr, type PerfEvent } from '../../src/perf/index.js';
import { BpfMemory, PerfMmapPage, RING_PAGE } from '../../src/runtime/index.js';
import { loadLinuxGolden, streamOf, toHex } from './linux-golden.js';
import { PerfFixture } from './perf-fixture.js';

const golden = loadLinuxGolden();

/** The recorder's payload. */
const payload = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => i * 7 + 1);

/**
 * Record bytes for comparison: without event ids, which no two machines share, and without the padding behind
 * the raw data, where Linux leaves what the ring held before and kscope puts zeros.
 */
function comparable(records: readonly Uint8Array[], payloads: readonly number[]): string[] {
  let next = 0;
  return records.map((record) => {
    const copy = record.slice();
    if (copy[0] === PerfEventType.PERF_RECORD_LOST) return toHex(copy.fill(0, 8, 16));
    const size = payloads[next++];
    return toHex(copy.fill(0, copy.length - (((size + 11) & ~7) - 4 - size)));
  });
}

function drain(event: PerfEvent): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let record = event.ring?.take(); record; record = event.ring?.take()) records.push(record);
  return records;
}

describe('the metadata page', () => {
  it('has Linux’s offsets and, after mmap of two data pages, Linux’s values', () => {
    const { perf, runtime } = new PerfFixture();
    const attr = parsePerfEventAttr(streamOf(golden, 'output-sizes').attr);
    const { address } = perf.open(attr, { pid: -1, cpu: 0 }).mmap(2).area;
    for (const [name, [offset, value]] of golden.page) {
      const [, known] = Object.entries(PerfMmapPage).find(([field]) => field === name) ?? [];
      if (known !== undefined) expect([name, known]).toEqual([name, offset]);
      expect([name, runtime.memory.view.getUint32(address + offset, true)]).toEqual([name, value]);
    }
    expect(RING_PAGE).toBe(4096);
  });

  it.each([0, 3, -1, 1.5])('%d data pages are EINVAL', (pages) => {
    const { perf } = new PerfFixture();
    const attr = parsePerfEventAttr(streamOf(golden, 'output-sizes').attr);
    expect(() => perf.open(attr, { pid: -1, cpu: 0 }).mmap(pages)).toThrow('EINVAL');
  });

  it('a second mmap of the same size is the same ring, of another size EINVAL', () => {
    const { perf } = new PerfFixture();
    const attr = parsePerfEventAttr(streamOf(golden, 'output-sizes').attr);
    const event = perf.open(attr, { pid: -1, cpu: 0 });
    expect(event.mmap(2)).toBe(event.mmap(2));
    expect(() => event.mmap(4)).toThrow('EINVAL');
  });
});

describe('bpf_perf_event_output', () => {
  it.each(['output-sizes', 'output-overflow', 'output-exact'])('%s: results and ring bytes are Linux’s', (name) => {
    const stream = streamOf(golden, name);
    const fixture = new PerfFixture();
    const map = fixture.eventArray(1);
    const event = fixture.perf.open(parsePerfEventAttr(stream.attr), { pid: -1, cpu: 0 });
    event.mmap(1);
    map.setSink(0, event);
    const records: Uint8Array[] = [];
    stream.outputs.forEach(({ size, result }, i) => {
      // The recorder drained the ring before the one output that follows an overflow.
      if (i > 0 && stream.outputs[i - 1]?.result === -28 && result === 0) records.push(...drain(event));
      expect(fixture.output(map, 0, payload(size))).toBe(result);
    });
    records.push(...drain(event));
    const stored = stream.outputs.filter(({ result }) => result === 0).map(({ size }) => size);
    expect(comparable(records, stored)).toEqual(comparable(stream.records, stored));
  });

  it('fields besides the data lie where Linux puts them', () => {
    const stream = streamOf(golden, 'output-fields');
    const fixture = new PerfFixture();
    const map = fixture.eventArray(2);
    const event = fixture.perf.open(parsePerfEventAttr(stream.attr), { pid: -1, cpu: 1 });
    event.mmap(1);
    map.setSink(1, event);
    expect(fixture.output(map, 1, payload(5))).toBe(0);
    expect(drain(event).map(toHex)).toEqual([
      '0900000001006000' +
        '0100000000000000' + // identifier
        '0000000000000000' + // ip
        '65000000' +
        '65000000' + // pid, tid
        '00ca9a3b00000000' + // time
        '0000000000000000' + // addr
        '0100000000000000' + // id
        '0100000000000000' + // stream id
        '0100000000000000' + // cpu, reserved
        '0000000000000000' + // period
        '0c000000' +
        '01080f161d000000' +
        '00000000',
    ]);
  });

  it('needs an enabled event of this CPU, with a ring', () => {
    const fixture = new PerfFixture();
    const map = fixture.eventArray(2);
    const attr = parsePerfEventAttr(streamOf(golden, 'output-sizes').attr);
    const event = fixture.perf.open(attr, { pid: -1, cpu: 0 });
    map.setSink(0, event);
    map.setSink(1, event);
    expect(fixture.output(map, 0, payload(4))).toBe(-28);
    event.mmap(1);
    expect(fixture.output(map, 0, payload(4))).toBe(0);
    expect(fixture.output(map, 1, payload(4))).toBe(-95);
    event.disable();
    expect(fixture.output(map, 0, payload(4))).toBe(-95);
    event.enable();
    expect(fixture.output(map, 0, new Uint8Array(65_500))).toBe(-7);
  });

  it('follows a thread from CPU to CPU', () => {
    const fixture = new PerfFixture();
    const map = fixture.eventArray(2);
    const attr = parsePerfEventAttr(streamOf(golden, 'output-sizes').attr);
    const event = fixture.perf.open(attr, { pid: 100, cpu: -1 });
    event.mmap(1);
    map.setSink(0, event);
    map.setSink(1, event);
    expect(fixture.output(map, 0, payload(1))).toBe(0);
    expect(fixture.output(map, 1, payload(1))).toBe(-95);
    fixture.host.current.reverse();
    expect(fixture.output(map, 1, payload(1))).toBe(0);
  });
});

/** Which of the outputs of these sizes woke the consumer. */
const wakeups = (attr: { wakeup?: number; watermark?: boolean }, sizes: number[]): number[] => {
  const fixture = new PerfFixture();
  const map = fixture.eventArray(1);
  const parsed = parsePerfEventAttr(streamOf(golden, 'output-sizes').attr);
  const flags = new Set(parsed.flags);
  if (attr.watermark === true) flags.add('watermark');
  const event = fixture.perf.open({ ...parsed, flags, wakeup: attr.wakeup ?? 0 }, { pid: -1, cpu: 0 });
  const ring = event.mmap(1);
  map.setSink(0, event);
  const woken: number[] = [];
  let i = 0;
  ring.onWakeup(() => woken.push(i));
  for (i = 0; i < sizes.length; i++) fixture.output(map, 0, payload(sizes[i]));
  return woken;
};

describe('PerfRing wakes its consumer', () => {
  it('after wakeup_events samples', () => {
    expect(wakeups({ wakeup: 3 }, Array(10).fill(4))).toEqual([2, 5, 8]);
    expect(wakeups({ wakeup: 1 }, Array(3).fill(4))).toEqual([0, 1, 2]);
  });

  it('after more than wakeup_watermark bytes', () => {
    expect(wakeups({ wakeup: 64, watermark: true }, Array(10).fill(4))).toEqual([4, 8]);
  });

  it('at half of the ring otherwise', () => {
    expect(wakeups({}, Array(8).fill(500))).toEqual([4]);
  });

  it('by the watermark of its reader', async () => {
    const fixture = new PerfFixture();
    const map = fixture.eventArray(1);
    const reader = openPerfBuffer(fixture.perf, map, { pages: 1, watermark: 40 });
    let seen = 0;
    reader.on('sample', () => seen++);
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 2; i++) fixture.output(map, 0, payload(4));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toBe(0);
    fixture.output(map, 0, payload(4));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toBe(3);
  });

  it('a reader that cannot have its rings leaves no event behind', () => {
    const fixture = new PerfFixture({}, new BpfMemory({ maxBytes: 1 << 20 }));
    const map = fixture.eventArray(2);
    const { used } = fixture.runtime.memory;
    for (const pages of [3, 128]) expect(() => openPerfBuffer(fixture.perf, map, { pages })).toThrowError(BpfError);
    expect(fixture.perf.list).toEqual([]);
    expect([map.get(0), map.get(1)]).toEqual([undefined, undefined]);
    expect(fixture.runtime.memory.used).toBe(used);
  });

  it('and a reader drains all CPUs’ rings', async () => {
    const fixture = new PerfFixture();
    const map = fixture.eventArray(2);
    const reader = openPerfBuffer(fixture.perf, map, { pages: 1 });
    const seen: (number | string)[] = [];
    reader.on('sample', ({ cpu, data }) => seen.push(cpu, data.length));
    reader.on('lost', ({ cpu, lost }) => seen.push(`lost ${lost} on ${cpu}`));
    fixture.output(map, 1, payload(4));
    fixture.output(map, 0, payload(9));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([0, 12, 1, 4]);
    reader.close();
    expect(fixture.perf.list).toEqual([]);
    expect(fixture.output(map, 0, payload(1))).toBe(-2);
  });
});
