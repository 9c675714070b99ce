import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PerfEventSampleFormat as F, PerfSwIds, PerfTypeId } from '../../src/base/index.js';
import {
  openPerfBuffer,
  perfEventAttr,
  type PerfEvent,
  PerfReader,
  type PerfReaderSample,
  perfRingLedger,
} from '../../src/perf/index.js';
import { isBalanced, type PerfEventArrayMap } from '../../src/runtime/index.js';
import { PerfFixture } from '../../test/perf/perf-fixture.js';

const PAGE = 4096;

/** What Linux's ring does, as numbers: which outputs fit, and where LOST records go. */
class RingModel {
  readonly records: ({ readonly id: number; readonly size: number } | { readonly lost: number })[] = [];
  used = 0;
  lost = 0;
  readonly size: number;
  readonly lostSize: number;

  constructor(pages: number, sampleIdAll: boolean) {
    this.size = pages * PAGE;
    // Header, id and count; with sample_id_all also CPU and its padding.
    this.lostSize = 24 + (sampleIdAll ? 8 : 0);
  }

  /** A sample with `length` raw bytes behind `fixed` bytes: whether it fits. */
  output(id: number, length: number, fixed: number): boolean {
    const size = fixed + Math.ceil((length + 4) / 8) * 8;
    const needed = size + (this.lost > 0 ? this.lostSize : 0);
    if (this.used + needed > this.size - 1) {
      this.lost++;
      return false;
    }
    if (this.lost > 0) this.records.push({ lost: this.lost });
    this.records.push({ id, size });
    this.used += needed;
    this.lost = 0;
    return true;
  }

  /** Takes until the next sample: its id, and the losses told on the way. */
  take(): { id: number | undefined; lost: number } {
    let lost = 0;
    for (;;) {
      const record = this.records.shift();
      if (record === undefined) return { id: undefined, lost };
      if ('lost' in record) {
        lost += record.lost;
        this.used -= this.lostSize;
      } else {
        this.used -= record.size;
        return { id: record.id, lost };
      }
    }
  }
}

type Step =
  | { readonly do: 'output'; readonly cpu: number; readonly length: number }
  | { readonly do: 'poll'; readonly limit: number }
  | { readonly do: 'pause' | 'resume' };

const length = fc.oneof(fc.integer({ min: 4, max: 64 }), fc.integer({ min: 4, max: 2000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('output' as const), cpu: fc.integer({ min: 0, max: 1 }), length }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('poll' as const), limit: fc.integer({ min: 1, max: 12 }) }) },
  fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const) }),
);

function openEvents(fixture: PerfFixture, map: PerfEventArrayMap, pages: number, sampleIdAll: boolean): PerfEvent[] {
  return [0, 1].map((cpu) => {
    const event = fixture.perf.open(
      perfEventAttr({
        type: PerfTypeId.PERF_TYPE_SOFTWARE,
        config: BigInt(PerfSwIds.PERF_COUNT_SW_BPF_OUTPUT),
        sampleType: F.PERF_SAMPLE_RAW | (sampleIdAll ? F.PERF_SAMPLE_CPU : 0),
        flags: sampleIdAll ? ['sample_id_all'] : [],
      }),
      { pid: -1, cpu },
    );
    event.mmap(pages);
    map.setSink(cpu, event);
    return event;
  });
}

function payload(id: number, size: number): Uint8Array {
  const data = new Uint8Array(size).fill(id & 0xff);
  new DataView(data.buffer).setUint32(0, id, true);
  return data;
}

function idOf({ data }: PerfReaderSample): number {
  return new DataView(data.buffer).getUint32(0, true);
}

describe('perf rings and their reader', () => {
  it('keep to the model: what fits, what is lost, and where the losses are told', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120 }),
        fc.constantFrom(1, 2),
        fc.boolean(),
        (steps, pages, sampleIdAll) => {
          const fixture = new PerfFixture();
          const map = fixture.eventArray(2);
          const events = openEvents(fixture, map, pages, sampleIdAll);
          const models = events.map(() => new RingModel(pages, sampleIdAll));
          const reader = new PerfReader(events);
          const told: [number, number][] = [];
          reader.on('lost', ({ cpu, lost }) => told.push([cpu, lost]));
          const got: number[] = [];
          const expected: number[] = [];
          const expectedLosses: [number, number][] = [];
          let ids = 0;
          let paused = false;

          const pollModel = (limit: number): void => {
            let left = paused ? 0 : limit;
            models.forEach((model, cpu) => {
              while (left > 0) {
                const { id, lost } = model.take();
                if (lost > 0) expectedLosses.push([cpu, lost]);
                if (id === undefined) break;
                expected.push(id);
                left--;
              }
            });
          };
          const poll = (limit: number): void => {
            reader.poll((record) => got.push(idOf(record)), limit);
            pollModel(limit);
          };

          for (const action of steps) {
            if (action.do === 'output') {
              const id = ++ids;
              const fits = models[action.cpu]?.output(id, action.length, sampleIdAll ? 16 : 8);
              expect(fixture.output(map, action.cpu, payload(id, action.length))).toBe(fits ? 0 : -28);
            } else if (action.do === 'poll') poll(action.limit);
            else {
              paused = action.do === 'pause';
              reader[action.do]();
            }
          }
          paused = false;
          reader.resume();
          poll(Number.POSITIVE_INFINITY);
          expect(got).toEqual(expected);
          expect(told).toEqual(expectedLosses);
          events.forEach((event, cpu) => {
            const row = perfRingLedger('ring', reader.rings[cpu]).ledgerRow();
            expect(isBalanced(row)).toBe(true);
            const untold = models[cpu]?.lost ?? 0;
            const toldHere = told.filter(([on]) => on === cpu).reduce((sum, [, lost]) => sum + lost, 0);
            expect(row.dropped['ring full']).toBe(toldHere + untold);
            expect(event.ring?.area.lostTotal).toBe(BigInt(toldHere + untold));
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('records come out whole wherever they wrap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 512 }), fc.integer({ min: 4, max: 512 }), (first, second) => {
        const fixture = new PerfFixture();
        const map = fixture.eventArray(1);
        const reader = openPerfBuffer(fixture.perf, map, { pages: 1 });
        for (let i = 0; i < 24; i++) {
          const data = payload(i, i % 2 === 0 ? first : second);
          expect(fixture.output(map, 0, data)).toBe(0);
          const seen: Uint8Array[] = [];
          reader.poll((record) => seen.push(record.data));
          expect(seen.map((raw) => raw.subarray(0, data.length))).toEqual([data]);
        }
        reader.close();
      }),
      { numRuns: 100 },
    );
  });
});
