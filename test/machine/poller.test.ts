import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSim, type SimHost, type SimOptions } from '../../src/host/sim/index.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { Machine } from '../../src/machine/index.js';
import type { OrderOptions, PolledRecord, Poller } from '../../src/runtime/index.js';

const OBJECT = new URL('../testdata/hook-objects/poll.bpf.o', import.meta.url);
const SLICE = 50_000;

const view = ({ data }: PolledRecord): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength);
const timeOf = (record: PolledRecord): bigint => view(record).getBigUint64(0, true);
const cpuOf = (record: PolledRecord): number => view(record).getUint32(8, true);
const numberOf = (record: PolledRecord): number => view(record).getUint32(12, true);

class Fixture {
  readonly host: SimHost;
  readonly machine: Machine;
  readonly collection: Collection;
  readonly poller: Poller;

  constructor(
    order?: Omit<OrderOptions<PolledRecord>, 'timeOf'>,
    signal?: AbortSignal,
    sim: SimOptions = { workload: 'mixed' },
  ) {
    this.host = createSim({ seed: 21, cpus: 4, ...sim });
    this.machine = new Machine(this.host);
    this.collection = Collection.load(CollectionSpec.parse(readFileSync(OBJECT)), this.machine.runtime);
    const maps = ['first', 'second', 'perf'].map((name) => {
      const map = this.collection.maps.get(name);
      if (map === undefined) throw new RangeError(`no map ${name}`);
      return map;
    });
    this.poller = this.machine.openPoller(maps, {
      pages: 1,
      ...(order === undefined ? {} : { order: { ...order, timeOf } }),
      ...(signal === undefined ? {} : { signal }),
    });
    for (const { program, attach } of this.collection.programs.values()) this.machine.attach(program, attach);
  }

  get emitted(): number {
    return Number(this.collection.variables.get('numbers')?.get());
  }

  /** Runs to the end of the workload, with `each` in between. */
  run(each: () => void): this {
    while (this.host.run({ ns: SLICE }) === 'time') each();
    each();
    return this;
  }

  /** Records lost by all rings, as the books have them. */
  get lost(): number {
    return this.machine
      .finalLedgerRows()
      .filter(({ kind }) => kind === 'ring')
      .reduce((sum, { dropped }) => sum + (dropped['ring full'] ?? 0), 0);
  }
}

describe('one poller of two ring buffers and a perf event array', () => {
  it('hands out each record once, told by map and CPU', () => {
    const seen: PolledRecord[] = [];
    const fixture = new Fixture();
    fixture.run(() => fixture.poller.poll((record) => seen.push(record)));
    expect(fixture.emitted).toBeGreaterThan(100);
    expect(seen.map(numberOf).toSorted((a, b) => a - b)).toEqual(Array.from({ length: fixture.emitted }, (_, i) => i));
    for (const record of seen) {
      expect(record.map.name).toBe(['first', 'second', 'perf'][numberOf(record) % 3]);
      expect(record.cpu).toBe(record.map.name === 'perf' ? cpuOf(record) : undefined);
    }
    expect(fixture.poller.order).toBeNull();
  });

  it('in the order of time across rings and CPUs, within the bound that it declares', () => {
    const seen: PolledRecord[] = [];
    const fixture = new Fixture({ withinNs: BigInt(2 * SLICE) });
    fixture.run(() => fixture.poller.poll((record) => seen.push(record)));
    expect(fixture.poller.order?.held).toBeGreaterThan(0);
    fixture.poller.flush((record) => seen.push(record));
    const times = seen.map(timeOf);
    expect(seen).toHaveLength(fixture.emitted);
    expect(new Set(seen.map(cpuOf)).size).toBe(4);
    expect(times.every((time, i) => i === 0 || times[i - 1] <= time)).toBe(true);
    expect(fixture.poller.order).toEqual({ held: 0, late: 0, early: 0 });
  });

  it('counts what breaks the order where the bound is too small, and drops nothing', () => {
    const seen: PolledRecord[] = [];
    const fixture = new Fixture({ withinNs: BigInt(2 * SLICE), most: 2 });
    fixture.run(() => fixture.poller.poll((record) => seen.push(record)));
    fixture.poller.flush((record) => seen.push(record));
    expect(seen).toHaveLength(fixture.emitted);
    const { late = 0, early = 0 } = fixture.poller.order ?? {};
    expect(early).toBeGreaterThan(0);
    let newest = 0n;
    const behind = seen.map(timeOf).filter((time) => (time < newest ? true : ((newest = time), false)));
    expect(behind).toHaveLength(late);
  });

  it('lets records ripen by the clock where it is told of one', () => {
    const seen: PolledRecord[] = [];
    let now = 0n;
    const fixture = new Fixture({ withinNs: 1_000n, now: () => now });
    fixture.run(() => undefined);
    fixture.poller.poll((record) => seen.push(record));
    const { held = 0 } = fixture.poller.order ?? {};
    expect(held).toBeGreaterThan(0);
    now = 1n << 62n;
    expect(fixture.poller.poll((record) => seen.push(record))).toBe(held);
  });
});

describe('back-pressure', () => {
  it('paused, records stay in their rings; what finds no room is lost and counted; resumed, the rest is there', () => {
    const script = ['repeat 60', 'op getpid getppid getpid getppid yield getpid', 'end'].join('\n');
    const fixture = new Fixture(undefined, undefined, { script });
    const seen: PolledRecord[] = [];
    const told: number[] = [];
    fixture.poller.on('lost', ({ lost }) => told.push(lost));
    fixture.poller.on('data', (record) => seen.push(record));
    fixture.poller.pause();
    fixture.run(() => fixture.poller.poll());
    expect(seen).toEqual([]);
    fixture.poller.resume();
    fixture.poller.poll();
    expect(fixture.lost).toBeGreaterThan(0);
    expect(seen.length + fixture.lost).toBe(fixture.emitted);
    expect(told.reduce((sum, lost) => sum + lost, 0)).toBeGreaterThan(0);
  });

  it('a handler that takes its time holds the next records back', async () => {
    const end = new AbortController();
    const fixture = new Fixture(undefined, end.signal);
    let running = 0;
    let most = 0;
    let handled = 0;
    const consumed = fixture.poller.consume(async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      handled++;
    }, 3);
    while (fixture.host.run({ ns: SLICE }) === 'time') {
      for (let before = -1; before !== handled;) {
        before = handled;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    for (let before = -1; before !== handled;) {
      before = handled;
      await new Promise((resolve) => setImmediate(resolve));
    }
    end.abort();
    await consumed;
    expect(handled).toBe(fixture.emitted);
    expect(most).toBe(3);
  });

  it('a handler that fails ends it, and the poller can go on', async () => {
    const fixture = new Fixture();
    fixture.host.run({ until: () => fixture.emitted > 2 });
    await expect(fixture.poller.consume(() => Promise.reject(new Error('full')))).rejects.toThrow('full');
    expect(fixture.poller.closed).toBe(false);
    expect(fixture.poller.poll(() => undefined)).toBeGreaterThan(0);
  });
});

it('closing it gives the perf rings back, and other maps are refused', () => {
  const fixture = new Fixture();
  fixture.poller.close();
  expect(fixture.machine.perf.list).toEqual([]);
  const bss = [...fixture.collection.maps.values()].find(({ name }) => name.includes('bss'));
  if (bss === undefined) throw new Error('the object has no .bss');
  const perf = fixture.collection.maps.get('perf');
  if (perf === undefined) throw new Error('the object has no map perf');
  expect(() => fixture.machine.openPoller([perf, bss])).toThrow(/EINVAL; ring buffers and perf event arrays/);
  expect(fixture.machine.perf.list).toEqual([]);
});
