import { describe, expect, it } from 'vitest';
import { PerfEventReadFormat, PerfEventSampleFormat as F, PerfSwIds as S } from '../../src/base/index.js';
import {
  EventPeriod,
  type PerfEvent,
  perfEventAttr,
  type PerfEventAttrInit,
  PerfEvents,
  PerfReader,
  type PerfReaderSample,
  type SoftwareHit,
  type SoftwareSource,
} from '../../src/perf/index.js';
import { PerfFixture } from './perf-fixture.js';

/** A machine that tells of context switches only, when the test says so. */
class Switches implements SoftwareSource {
  readonly handlers = new Set<(hit: SoftwareHit) => void>();

  has(config: number): boolean {
    return config === S.PERF_COUNT_SW_CONTEXT_SWITCHES;
  }

  start(_config: number, handler: (hit: SoftwareHit) => void): () => void {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }
}

class Fixture extends PerfFixture {
  readonly source = new Switches();
  readonly software = new PerfEvents(this.runtime, this.source);

  switch(cpu = 0, tid = 100 + cpu, times = 1): void {
    this.host.cpu = cpu;
    const regs = this.host.enter('busy');
    for (let i = 0; i < times; i++) {
      for (const tell of this.source.handlers) tell({ cpu, tid, regs, stackRegs: null, user: false, addr: 0x1234n });
    }
  }

  open(fields: PerfEventAttrInit = {}, target = { pid: -1, cpu: 0 }): PerfEvent {
    const config = BigInt(S.PERF_COUNT_SW_CONTEXT_SWITCHES);
    return this.software.open(perfEventAttr({ type: 1, config, ...fields }), target);
  }
}

const read = (event: PerfEvent): PerfReaderSample[] => {
  const samples: PerfReaderSample[] = [];
  new PerfReader([event]).poll((sample) => samples.push(sample));
  return samples;
};

describe('a counted software event', () => {
  it('counts what happens on its CPU while it is enabled, without sampling', () => {
    const fixture = new Fixture();
    const event = fixture.open();
    fixture.switch(0, 100, 3);
    fixture.switch(1, 101, 5);
    event.disable();
    fixture.switch();
    expect(event.read().value).toBe(3n);
    expect(fixture.source.handlers.size).toBe(0);
    event.enable();
    fixture.switch();
    expect(event.read().value).toBe(4n);
    expect(event.counts.taken).toBe(0);
  });

  it('of one thread counts on whatever CPU', () => {
    const fixture = new Fixture();
    const event = fixture.open({ samplePeriod: 1n }, { pid: 101, cpu: -1 });
    fixture.switch(0, 100);
    fixture.switch(1, 101);
    fixture.switch(0, 101);
    expect(event.counts.taken).toBe(2);
  });

  it('samples every so many events, with the period, the address and the place', () => {
    const fixture = new Fixture();
    const sampleType = F.PERF_SAMPLE_IP | F.PERF_SAMPLE_PERIOD | F.PERF_SAMPLE_ADDR | F.PERF_SAMPLE_TID;
    const event = fixture.open({ samplePeriod: 4n, sampleType });
    event.mmap(1);
    fixture.switch(0, 100, 11);
    expect(read(event).map(({ sample }) => [sample.ip, sample.period, sample.addr])).toEqual([
      [fixture.host.address('busy'), 4n, 0x1234n],
      [fixture.host.address('busy'), 4n, 0x1234n],
    ]);
    fixture.switch();
    expect(read(event)).toHaveLength(1);
  });

  it('is left out where its filters say so', () => {
    const fixture = new Fixture();
    const event = fixture.open({ samplePeriod: 1n, flags: ['exclude_kernel'] });
    fixture.switch();
    expect([event.counts.taken, event.read().value]).toEqual([0, 0n]);
  });

  it('is EOPNOTSUPP where the machine does not tell of it', () => {
    const fixture = new Fixture();
    expect(() => fixture.open({ config: BigInt(S.PERF_COUNT_SW_PAGE_FAULTS) })).toThrow(/EOPNOTSUPP.*no tracepoint/);
    expect(() => fixture.perf.open(perfEventAttr({ type: 1, config: 3n }), { pid: -1, cpu: 0 })).toThrow(/EOPNOTSUPP/);
  });
});

describe('what ioctl(2) does to a perf event', () => {
  it('PERF_EVENT_IOC_RESET: the count begins anew, also of a clock', () => {
    const fixture = new Fixture();
    const event = fixture.open();
    const clock = fixture.software.open(perfEventAttr({ type: 1, config: 0n }), { pid: -1, cpu: 0 });
    fixture.switch();
    fixture.host.now += 500n;
    event.reset();
    clock.reset();
    fixture.switch();
    fixture.host.now += 20n;
    expect([event.read().value, clock.read().value, clock.read().timeEnabled]).toEqual([1n, 20n, 520n]);
  });

  it('PERF_EVENT_IOC_REFRESH: so many samples, then it is disabled', () => {
    const fixture = new Fixture();
    const event = fixture.open({ samplePeriod: 2n, flags: ['disabled'] });
    event.refresh(3);
    fixture.switch(0, 100, 20);
    expect([event.counts.taken, event.enabled, event.read().value]).toEqual([3, false, 6n]);
    expect(() => fixture.open().refresh(1)).toThrow(/EINVAL/);
  });

  it('PERF_EVENT_IOC_PERIOD: another period from now on', () => {
    const fixture = new Fixture();
    const event = fixture.open({ samplePeriod: 100n });
    fixture.switch(0, 100, 50);
    event.setPeriod(10n);
    fixture.switch(0, 100, 50);
    expect([event.counts.taken, event.period]).toEqual([5, 10n]);
  });

  it.each([
    ['of an event that does not sample', {}, 5n],
    ['of 0', { samplePeriod: 1n }, 0n],
    ['with its highest bit set', { samplePeriod: 1n }, 1n << 63n],
    ['as too high a frequency', { samplePeriod: 1n, flags: ['freq'] }, 100_001n],
  ] as const)('a new period %s is EINVAL', (_name, fields, period) => {
    const event = new Fixture().open(fields);
    expect(() => event.setPeriod(period)).toThrow(/EINVAL/);
  });

  it('PERF_EVENT_IOC_PAUSE_OUTPUT: samples are lost and told of', () => {
    const fixture = new Fixture();
    const event = fixture.open({ samplePeriod: 1n, readFormat: PerfEventReadFormat.PERF_FORMAT_LOST });
    expect(() => event.pauseOutput(true)).toThrow(/EINVAL.*|has no ring/);
    event.mmap(1);
    event.pauseOutput(true);
    fixture.switch(0, 100, 4);
    event.pauseOutput(false);
    fixture.switch();
    const lost: number[] = [];
    const reader = new PerfReader([event]);
    reader.on('lost', (loss) => lost.push(loss.lost));
    expect(reader.poll(() => undefined)).toBe(1);
    expect([lost, event.read().lost]).toEqual([[4], 4n]);
  });
});

describe('sampling by frequency', () => {
  it.each([
    ['rare', 1_000_000n, 100n],
    ['frequent', 2_000n, 100n],
    ['very frequent', 200n, 1000n],
  ])('finds the period for %s events: so many samples a second', (_name, every, frequency) => {
    const period = new EventPeriod(frequency, true);
    let samples = 0n;
    let now = 1_000_000_000n;
    const settled = now + 2_000_000_000n;
    for (; now < settled + 1_000_000_000n; now += every) if (period.count(now) !== 0n && now >= settled) samples += 1n;
    const possible = 1_000_000_000n / every;
    const wanted = frequency < possible ? frequency : possible;
    expect(Number(samples)).toBeGreaterThan(Number(wanted) * 0.7);
    expect(Number(samples)).toBeLessThan(Number(wanted) * 1.3);
  });

  it('begins with every event', () => {
    expect(new EventPeriod(99n, true).count(5n)).toBe(1n);
  });
});
