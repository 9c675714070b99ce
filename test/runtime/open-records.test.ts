import { beforeEach, describe, expect, it } from 'vitest';
import { BpfMapType } from '../../src/base/index.js';
import { MAX_RECORDS } from '../../src/runtime/cpu-block.js';
import { type BpfRunCtx, BpfRuntime, RingBufferMap } from '../../src/runtime/index.js';
import { closeRecord, isOpenRecord, openRecord, openRecords, recordAround } from '../../src/runtime/open-records.js';
import { instance } from '../support/instance.js';
import { TestHost } from '../support/test-host.js';

const FORCE_WAKEUP = 2;

let runtime: BpfRuntime;
let ring: RingBufferMap;

beforeEach(() => {
  runtime = new BpfRuntime(new TestHost({ cpus: 2 }));
  const spec = { name: 'ring', type: BpfMapType.BPF_MAP_TYPE_RINGBUF, maxEntries: 4096 };
  const map = runtime.createMap({ ...spec, keySize: 0, valueSize: 0, flags: 0, keyTypeId: 0, valueTypeId: 0 });
  ring = instance(map, RingBufferMap);
});

function entered(cpu = 0): BpfRunCtx {
  const run = runtime.enter(cpu);
  if (run === null) throw new Error('nested too deeply');
  return run;
}

/** Reserves a record as bpf_ringbuf_reserve does. */
function reserve(run: BpfRunCtx, size = 16): number {
  const record = ring.area.reserve(size);
  openRecord(run, record, size);
  return record;
}

describe('the open records of a run', () => {
  it('are those opened and not closed, also beyond what the block of the CPU holds', () => {
    const run = entered();
    const records = Array.from({ length: MAX_RECORDS + 2 }, () => reserve(run));
    expect(openRecords(run)).toEqual(records);
    expect(records.every((record) => isOpenRecord(run, record))).toBe(true);
    const [first, second] = records;
    const last = records.at(-1) ?? 0;
    expect([first, last, first].map((record) => closeRecord(run, record))).toEqual([true, true, false]);
    expect(openRecords(run).toSorted((a, b) => a - b)).toEqual(records.slice(1, -1));
    expect(isOpenRecord(run, first)).toBe(false);
    expect([second, second + 8, second - 8].map((at) => recordAround(run, at, 8) >= 0)).toEqual([true, true, false]);
  });

  it('are discarded when the run ends', () => {
    const run = entered();
    for (let i = 0; i < MAX_RECORDS + 2; i++) reserve(run);
    runtime.leave(run);
    expect(ring.area.counts).toMatchObject({ reserved: MAX_RECORDS + 2, discarded: MAX_RECORDS + 2 });
    expect(openRecords(entered())).toEqual([]);
  });

  it('are no matter of a run that interrupts it on the same CPU, or of one on another', () => {
    const outer = entered();
    const record = reserve(outer);
    const inner = entered();
    const own = reserve(inner);
    expect(openRecords(inner)).toEqual([own]);
    expect(openRecords(entered(1))).toEqual([]);
    runtime.leave(inner);
    expect(ring.area.counts).toMatchObject({ reserved: 2, discarded: 1 });
    expect(openRecords(outer)).toEqual([record]);
  });
});

describe('wake-ups', () => {
  it('come when the outermost run on the CPU has ended, once for all records', () => {
    let woken = 0;
    ring.area.onWakeup(() => woken++);
    const outer = entered();
    const inner = entered();
    ring.area.submit(ring.area.reserve(8), FORCE_WAKEUP);
    ring.area.submit(ring.area.reserve(8), FORCE_WAKEUP);
    runtime.leave(inner);
    expect(woken).toBe(0);
    runtime.leave(outer);
    expect(woken).toBe(1);
    runtime.leave(entered());
    expect(woken).toBe(1);
  });

  it('go to the consumers of the ring that was written only', () => {
    const other = instance(runtime.createMap({ ...ring.spec, name: 'other' }), RingBufferMap);
    const woken: string[] = [];
    for (const { area, name } of [ring, other]) area.onWakeup(() => woken.push(name));
    const run = entered();
    other.area.submit(other.area.reserve(8), 0);
    runtime.leave(run);
    expect(woken).toEqual(['other']);
  });
});
