import { beforeEach, describe, expect, it } from 'vitest';
import { BpfMapType } from '../../../src/base/index.js';
import type { PerfEventArrayMap, RingBufferMap } from '../../../src/runtime/index.js';
import { RingBufferConsumer, discardReservations, type PerfEventSink } from '../../../src/runtime/index.js';
import { openRecords, recordAround } from '../../../src/runtime/open-records.js';
import { HelperBench } from './helper-bench.js';

const CURRENT_CPU = 0xffff_ffffn;

let bench: HelperBench;

beforeEach(() => {
  bench = new HelperBench({ cpus: 2 });
});

describe('ring buffer helpers', () => {
  let ring: RingBufferMap;
  let map: bigint;

  beforeEach(() => {
    ring = bench.map({
      type: BpfMapType.BPF_MAP_TYPE_RINGBUF,
      keySize: 0,
      valueSize: 0,
      maxEntries: 4096,
    }) as RingBufferMap;
    map = bench.pointer(ring);
  });

  function records(): string[] {
    const texts: string[] = [];
    new RingBufferConsumer(bench.runtime.memory, ring.area).consume((data) =>
      texts.push(new TextDecoder().decode(data.slice())),
    );
    return texts;
  }

  it('output copies the bytes', () => {
    expect(bench.call('ringbuf_output', map, bench.string('hello'), 5n, 0n)).toBe(0n);
    expect(records()).toEqual(['hello']);
  });

  it.each([
    [4n, -22n],
    [1n << 32n, -22n],
    [3n, 0n],
  ])('output with flags %d is %d', (flags, result) => {
    expect(bench.call('ringbuf_output', map, bench.at(), 8n, flags)).toBe(result);
  });

  it('output is -EAGAIN when full, and the loss is counted', () => {
    expect(bench.call('ringbuf_output', map, bench.at(), 4080n, 0n)).toBe(0n);
    expect(bench.call('ringbuf_output', map, bench.at(), 8n, 0n)).toBe(-11n);
    expect(ring.area.counts).toEqual({ reserved: 1, submitted: 1, discarded: 0, dropped: 1 });
  });

  it('reserve opens a region of just the size asked for, submit closes it', () => {
    const record = bench.call('ringbuf_reserve', map, 12n, 0n);
    expect(openRecords(bench.run)).toEqual([Number(record)]);
    expect([12, 13].map((size) => recordAround(bench.run, Number(record), size) >= 0)).toEqual([true, false]);
    bench.runtime.memory.u8.set(new TextEncoder().encode('twelve bytes'), Number(record));
    expect(records(), 'not yet submitted').toEqual([]);
    bench.call('ringbuf_submit', record, 0n);
    expect(openRecords(bench.run)).toEqual([]);
    expect(records()).toEqual(['twelve bytes']);
  });

  it('reserve with flags, beyond the ring or with a size of more than 30 bits is NULL', () => {
    expect(bench.call('ringbuf_reserve', map, 8n, 1n)).toBe(0n);
    expect(bench.call('ringbuf_reserve', map, 4089n, 0n)).toBe(0n);
    expect(bench.call('ringbuf_reserve', map, 0x4000_0000n, 0n)).toBe(0n);
    expect(bench.call('ringbuf_reserve', map, 1n << 32n, 0n)).toBe(0n);
    expect(openRecords(bench.run)).toEqual([]);
  });

  it('a discarded record is skipped, and one that is still open holds the later ones up', () => {
    const open = bench.call('ringbuf_reserve', map, 8n, 0n);
    const dropped = bench.call('ringbuf_reserve', map, 8n, 0n);
    bench.call('ringbuf_output', map, bench.string('third'), 5n, 0n);
    bench.call('ringbuf_discard', dropped, 0n);
    expect(records()).toEqual([]);
    bench.call('ringbuf_discard', open, 0n);
    expect(records()).toEqual(['third']);
  });

  it('only a record that this run reserved can be submitted', () => {
    const record = bench.call('ringbuf_reserve', map, 8n, 0n);
    bench.call('ringbuf_submit', record, 0n);
    bench.call('ringbuf_submit', record, 0n);
    bench.call('ringbuf_discard', record + 8n, 0n);
    expect(ring.area.counts).toMatchObject({ submitted: 1, discarded: 0 });
  });

  it('what a stopped run left open is discarded, in whichever ring it is', () => {
    const other = bench.map({
      type: BpfMapType.BPF_MAP_TYPE_RINGBUF,
      keySize: 0,
      valueSize: 0,
      maxEntries: 8192,
    }) as RingBufferMap;
    bench.call('ringbuf_reserve', map, 8n, 0n);
    bench.call('ringbuf_reserve', bench.pointer(other), 8n, 0n);
    discardReservations(bench.run);
    expect(ring.area.counts.discarded + other.area.counts.discarded).toBe(2);
    expect(openRecords(bench.run)).toEqual([]);
  });

  it.each([
    [0n, 16n],
    [1n, 4096n],
    [2n, 0n],
    [3n, 16n],
    [4n, 0n],
    [(1n << 32n) + 1n, 0n],
  ])('query %d is %d', (selector, answer) => {
    bench.call('ringbuf_output', map, bench.at(), 8n, 0n);
    expect(bench.call('ringbuf_query', map, selector)).toBe(answer);
  });
});

describe('perf event helpers', () => {
  let events: PerfEventArrayMap;
  let map: bigint;
  let emitted: string[];

  function sink(overrides: Partial<PerfEventSink> = {}): PerfEventSink {
    return {
      cpu: 0,
      isBpfOutput: true,
      output: (run, data, size) => {
        emitted.push(new TextDecoder().decode(run.runtime.memory.u8.slice(data, data + size)));
        return 0;
      },
      readValue: (run, out) => {
        run.runtime.memory.u8.fill(7, out, out + 24);
        return 0;
      },
      ...overrides,
    };
  }

  function output(flags: bigint): bigint {
    return bench.call('perf_event_output', 0n, map, flags, bench.string('event'), 5n);
  }

  beforeEach(() => {
    emitted = [];
    events = bench.map({
      type: BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY,
      valueSize: 4,
      maxEntries: 2,
    }) as PerfEventArrayMap;
    map = bench.pointer(events);
  });

  it('output goes to the event of the index, or of the current CPU', () => {
    events.setSink(0, sink());
    expect([output(0n), output(CURRENT_CPU)]).toEqual([0n, 0n]);
    expect(emitted).toEqual(['event', 'event']);
  });

  it.each([
    ['flags beyond the index', 1n << 32n, sink, -22n],
    ['an index past the end', 2n, sink, -7n],
    ['an empty slot', 1n, sink, -2n],
    ['an event that is no bpf-output', 0n, () => sink({ isBpfOutput: false }), -22n],
    ['an event of another CPU', 0n, () => sink({ cpu: 1 }), -95n],
    ['an event without a ring', 0n, () => sink({ output: () => -28 }), -28n],
  ])('%s', (_what, flags, make, errno) => {
    events.setSink(0, make());
    expect(output(flags)).toBe(errno);
  });

  it('reads a counter into 24 bytes', () => {
    events.setSink(0, sink());
    expect(bench.call('perf_event_read_value', map, CURRENT_CPU, bench.at(), 24n)).toBe(0n);
    expect([...bench.bytes(25)]).toEqual([...Array.from({ length: 24 }, () => 7), 0]);
  });

  it.each([
    ['a buffer of another size', 0n, 16n, -22n],
    ['flags beyond the index', 1n << 32n, 24n, -22n],
    ['an index past the end', 9n, 24n, -7n],
    ['an empty slot', 1n, 24n, -2n],
  ])('%s is an error and zeroes the buffer', (_what, flags, size, errno) => {
    bench.bytes(32).fill(0xee);
    events.setSink(0, sink());
    expect(bench.call('perf_event_read_value', map, flags, bench.at(), size)).toBe(errno);
    expect(bench.bytes(Number(size)).every((byte) => byte === 0)).toBe(true);
    expect(bench.bytes(1, Number(size))[0]).toBe(0xee);
  });

  it('a deleted sink is gone', () => {
    events.setSink(0, sink());
    expect(events.sysDelete(new Uint8Array(4))).toBe(0);
    expect(output(0n)).toBe(-2n);
    expect(events.setSink(2, sink())).toBe(-7);
  });
});
