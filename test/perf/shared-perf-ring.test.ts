import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { PerfEventSampleFormat, PerfSwIds, PerfTypeId } from '../../src/base/index.js';
import {
  type PerfEvent,
  perfEventAttr,
  perfRingLedger,
  SharedPerfConsumer,
  sharePerfRing,
} from '../../src/perf/index.js';
import { BpfMemory, eventType } from '../../src/runtime/index.js';
import { parseBtf } from '../../src/btf/index.js';
import { blob, info } from '../btf/btf-fixture.js';
import { PerfFixture } from './perf-fixture.js';

const { PERF_SAMPLE_RAW, PERF_SAMPLE_TIME, PERF_SAMPLE_CALLCHAIN } = PerfEventSampleFormat;

// Workers load the built package.
beforeAll(() => {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { stdio: 'pipe' });
}, 300_000);

const sharedMemory = (): BpfMemory => new BpfMemory({ shared: true, maxBytes: 4 << 20 });

interface SharedEventOptions {
  readonly sampleType?: number;
  readonly memory?: BpfMemory;
}

/** A bpf-output event whose ring can be read by other threads, and what bpf_perf_event_output does with it. */
class SharedEvent {
  readonly event: PerfEvent;
  readonly link: ReturnType<typeof sharePerfRing>;
  readonly #fixture: PerfFixture;
  readonly #map;

  constructor({ sampleType = PERF_SAMPLE_RAW, memory = sharedMemory() }: SharedEventOptions = {}) {
    this.#fixture = new PerfFixture({}, memory);
    this.#map = this.#fixture.eventArray(1);
    const attr = perfEventAttr({
      type: PerfTypeId.PERF_TYPE_SOFTWARE,
      config: BigInt(PerfSwIds.PERF_COUNT_SW_BPF_OUTPUT),
      sampleType,
      wakeup: 1,
      flags: [],
    });
    this.event = this.#fixture.perf.open(attr, { pid: -1, cpu: 0 });
    this.event.mmap(1);
    this.#map.setSink(0, this.event);
    this.link = sharePerfRing(memory, this.event);
  }

  /** False where the ring is full. */
  output(data: Uint8Array): boolean {
    return this.#fixture.output(this.#map, 0, data) === 0;
  }

  account(): unknown {
    const { event } = this;
    if (event.ring === null) throw new Error('the event has a ring');
    return perfRingLedger('ring', event.ring).ledgerRow();
  }
}

/** 8 to 200 bytes that begin with their number. */
function payload(number: number): Uint8Array {
  const bytes = new Uint8Array(8 + ((number * 7) % 193)).fill(number);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

/** With the padding that Linux counts. */
const paddedLength = (length: number): number => ((length + 11) & ~7) - 4;

describe.each([
  ['raw data in place', false, PERF_SAMPLE_RAW],
  ['raw data behind other fields', false, PERF_SAMPLE_RAW | PERF_SAMPLE_TIME],
  ['whole records', true, PERF_SAMPLE_RAW | PERF_SAMPLE_TIME],
])('a perf ring that another thread reads: %s', (_, whole, sampleType) => {
  it.each([
    ['loses nothing when the producer waits for room', true],
    ['loses exactly what it tells of when the producer does not wait', false],
  ])('%s', async (__, waits) => {
    const shared = new SharedEvent({ sampleType });
    const worker = new Worker(new URL('perf-worker.mjs', import.meta.url), {
      workerData: { ring: shared.link.ring, whole },
    });
    const answer = once(worker, 'message');
    const exit = once(worker, 'exit');
    let digest = 0;
    let count = 0;
    let lost = 0;
    const offer = (number: number): boolean => {
      const bytes = payload(number);
      if (!shared.output(bytes)) {
        lost++;
        return false;
      }
      count++;
      digest = (Math.imul(digest, 31) + number + bytes[4] + paddedLength(bytes.length)) | 0;
      return true;
    };
    const insist = async (number: number): Promise<void> => {
      while (!offer(number)) await setTimeout(1);
    };
    for (let number = 0; number < 1000; number++) {
      if (waits) await insist(number);
      else offer(number);
      if (number % 200 === 0) await setImmediate();
    }
    // Losses are told in front of the next record that fits.
    await insist(1000);
    shared.link.close();
    const [seen] = await answer;
    await exit;
    expect(seen).toEqual({ count, lost, digest, inOrder: true });
    expect(shared.account()).toMatchObject({
      seen: count + lost,
      delivered: count,
      pending: 0,
      dropped: { 'ring full': lost },
    });
    shared.event.close();
  });
});

describe('SharedPerfConsumer', () => {
  it('hands out events of a type, also where they wrap', () => {
    const names = ['int', 'event', 'number', 'rest'];
    const at = (name: string): number => 1 + names.slice(0, names.indexOf(name)).join('').length + names.indexOf(name);
    const btf = parseBtf(
      blob(
        [
          [at('int'), info(1), 4, 32],
          [0, info(3), 0, 1, 1, 20],
          [at('event'), info(4, 2), 84, at('number'), 1, 0, at('rest'), 2, 32],
        ],
        names,
      ),
    );
    const type = eventType<{ readonly number: number; readonly rest: readonly number[] }>(btf, 'event');
    const shared = new SharedEvent();
    const consumer = new SharedPerfConsumer(shared.link.ring);
    for (let number = 0; number < 100; number++) {
      const words = Uint32Array.from({ length: 21 }, (_, i) => number + i);
      expect(shared.output(new Uint8Array(words.buffer))).toBe(true);
      const events: (typeof type extends { decode(bytes: Uint8Array): infer E } ? E : never)[] = [];
      expect(consumer.consumeEvents(type, (event) => events.push(event))).toBe(1);
      expect(events[0]).toMatchObject({ number, rest: [...words.subarray(1)] });
    }
  });

  it('takes no more samples than asked for, and has done with one whose visitor threw', () => {
    const shared = new SharedEvent();
    const consumer = new SharedPerfConsumer(shared.link.ring);
    for (const number of [1, 2, 3]) shared.output(payload(number));
    const numbers: number[] = [];
    const visit = (words: Int32Array, at: number): void => {
      numbers.push(words[at]);
      if (words[at] === 2) throw new Error('two');
    };
    expect(consumer.consumeRaw(visit, 1)).toBe(1);
    expect(() => consumer.consumeRaw(visit)).toThrow('two');
    expect([consumer.consumeRaw(visit), numbers, consumer.delivered]).toEqual([1, [1, 2, 3], 3]);
  });

  it('gives up waiting after its timeout, and when the link is closed', () => {
    const shared = new SharedEvent();
    const consumer = new SharedPerfConsumer(shared.link.ring);
    expect(consumer.wait(1)).toBe(false);
    shared.output(payload(1));
    shared.link.close();
    expect([consumer.wait(), consumer.closed, consumer.consumeRaw(() => {}), consumer.wait()]).toEqual([
      true,
      true,
      1,
      false,
    ]);
  });

  it('raw data behind a callchain can only be had with the whole record', () => {
    const shared = new SharedEvent({ sampleType: PERF_SAMPLE_RAW | PERF_SAMPLE_CALLCHAIN });
    expect(() => new SharedPerfConsumer(shared.link.ring).consumeRaw(() => {})).toThrow('EINVAL; use consume');
  });
});

describe('sharePerfRing', () => {
  it('wants a ring and shared memory', () => {
    const { perf, runtime } = new PerfFixture();
    const attr = perfEventAttr({
      type: PerfTypeId.PERF_TYPE_SOFTWARE,
      config: BigInt(PerfSwIds.PERF_COUNT_SW_BPF_OUTPUT),
      sampleType: PERF_SAMPLE_RAW,
      wakeup: 1,
      flags: [],
    });
    const event = perf.open(attr, { pid: -1, cpu: 0 });
    expect(() => sharePerfRing(runtime.memory, event)).toThrow('it has none');
    const unshared = new BpfMemory({
      memory: { buffer: new ArrayBuffer(16 << 16), grow: () => 0 },
      maxBytes: 16 << 16,
    });
    expect(() => new SharedEvent({ memory: unshared })).toThrow('its memory is not shared');
  });
});
