import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import {
  BpfMemory,
  BpfRuntime,
  createInterpreter,
  createJit,
  type RingBufferArea,
  RingBufferMap,
  RingLayout,
  SharedRingConsumer,
  type SharedRingLink,
  shareRing,
} from '../../src/runtime/index.js';
import { instance } from '../support/instance.js';
import { TestHost } from '../support/test-host.js';
import { type RingFixture, ringFixture } from './ring-fixture.js';

const OPENSNOOP = fileURLToPath(new URL('../../examples/opensnoop.bpf.o', import.meta.url));
/** Emits a record of 32 bytes that begins with the first 8 of its packet and ends with zeros. */
const RING_WORKLOAD = new URL('../../bench/workloads/obj/ring.o', import.meta.url);
/** Of opensnoop's `struct event`, and where its `pid` and `comm` are. */
const EVENT = { size: 304, pid: 8, comm: 28 } as const;
const NO_WAKEUP = 1;

// Workers load the built package.
beforeAll(() => {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { stdio: 'pipe' });
}, 300_000);

const sharedMemory = (): BpfMemory => new BpfMemory({ shared: true, maxBytes: 4 << 20 });

interface Seen {
  readonly count: number;
  readonly digest: number;
  readonly inOrder: boolean;
}

/** A worker that reads a ring. */
class Other {
  readonly #link: SharedRingLink;
  readonly #answer: Promise<unknown[]>;
  readonly #exit: Promise<unknown[]>;

  constructor(memory: BpfMemory, area: RingBufferArea, typed?: string) {
    this.#link = shareRing(memory, area);
    const worker = new Worker(new URL('ring-worker.mjs', import.meta.url), {
      workerData: { ring: this.#link.ring, typed },
    });
    this.#answer = once(worker, 'message');
    this.#exit = once(worker, 'exit');
  }

  /** Waits for the worker to consume all there is, then for what it saw. */
  async finish(): Promise<Seen> {
    this.#link.close();
    const [seen] = await this.#answer;
    await this.#exit;
    return seen as Seen;
  }
}

/** A ring, and a worker at its other end. */
class OtherRing extends Other {
  readonly ring: RingFixture;

  constructor(size: number, typed?: string) {
    const ring = ringFixture(size, sharedMemory());
    super(ring.memory, ring.map.area, typed);
    this.ring = ring;
  }
}

/** What the worker should have seen of records in this order. */
class Expected {
  count = 0;
  digest = 0;

  add(number: number, byte: number, length: number): void {
    this.count++;
    this.digest = (Math.imul(this.digest, 31) + number + byte + length) | 0;
  }

  get seen(): Seen {
    return { count: this.count, digest: this.digest, inOrder: true };
  }
}

/** A record of 4 to 200 bytes that begins with its number. */
function record(number: number): Uint8Array {
  const bytes = new Uint8Array(4 + ((number * 7) % 197)).fill(number);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

describe('a ring that another thread reads', () => {
  it('loses nothing when the producer waits for room, and wakes a sleeping consumer', async () => {
    const other = new OtherRing(16384);
    const expected = new Expected();
    for (let number = 0; number < 5000; number++) {
      const bytes = record(number);
      while (!other.ring.produce(bytes)) await setTimeout(1);
      expected.add(number, bytes.at(-1) ?? 0, bytes.length);
      // Now and then the consumer catches up and sleeps.
      if (number % 1000 === 0) await setTimeout(5);
    }
    expect(await other.finish()).toEqual(expected.seen);
  });

  it('counts exactly what the producer lost when it does not wait', async () => {
    const other = new OtherRing(4096);
    const expected = new Expected();
    const attempts = 20_000;
    for (let number = 0; number < attempts; number++) {
      const bytes = record(number);
      if (other.ring.produce(bytes)) expected.add(number, bytes.at(-1) ?? 0, bytes.length);
      if (number % 500 === 0) await setImmediate();
    }
    const seen = await other.finish();
    expect(seen).toEqual(expected.seen);
    const { dropped, submitted } = other.ring.map.area.counts;
    expect([submitted, dropped]).toEqual([seen.count, attempts - seen.count]);
  });

  it('hands out events of a type', async () => {
    const other = new OtherRing(65536, OPENSNOOP);
    const expected = new Expected();
    for (let number = 0; number < 2000; number++) {
      const bytes = new Uint8Array(EVENT.size);
      new DataView(bytes.buffer).setUint32(EVENT.pid, number, true);
      bytes[EVENT.comm] = 0x61 + (number % 26);
      while (!other.ring.produce(bytes)) await setTimeout(1);
      expected.add(number, bytes[EVENT.comm], EVENT.size);
    }
    expect(await other.finish()).toEqual(expected.seen);
  });

  it('records without wake-up are seen with the next that has one, discarded ones never', async () => {
    const other = new OtherRing(4096);
    await setTimeout(20);
    const expected = new Expected();
    for (const [number, flags] of [
      [1, NO_WAKEUP],
      [2, NO_WAKEUP],
      [3, 2],
    ] as const) {
      other.ring.map.area.discard(other.ring.reserve(40), NO_WAKEUP);
      other.ring.produce(record(number), flags);
      expected.add(number, record(number).at(-1) ?? 0, record(number).length);
    }
    while (other.ring.map.area.consumer !== other.ring.map.area.producer) await setImmediate();
    expect(await other.finish()).toEqual(expected.seen);
  });
});

describe.each([
  ['interpreted', createInterpreter],
  ['compiled', createJit],
])('%s programs', (_, engine) => {
  it('wake a sleeping worker and lose nothing', async () => {
    const memory = new BpfMemory({ shared: true });
    const runtime = new BpfRuntime(new TestHost({ cpus: 1 }), { engine: engine(), memory });
    const collection = Collection.load(CollectionSpec.parse(readFileSync(RING_WORKLOAD)), runtime);
    const program = collection.programs.get('ring')?.program;
    if (program === undefined) throw new Error('the object has a program');
    const { area } = instance(collection.maps.get('records'), RingBufferMap);
    const other = new Other(memory, area);
    const expected = new Expected();
    const dataIn = new Uint8Array(64);
    for (let number = 0; number < 400; number++) {
      new DataView(dataIn.buffer).setUint32(0, number, true);
      expect(runtime.testRun(program, { dataIn }).retval).toBe(0);
      expected.add(number, 0, 32);
      if (number % 4 === 0) while (area.consumer !== area.producer) await setImmediate();
    }
    expect(await other.finish()).toEqual(expected.seen);
    collection.close();
  });
});

describe('shareRing', () => {
  it('wants shared memory', () => {
    const unshared = { buffer: new ArrayBuffer(4 << 16), grow: () => 0 };
    const { memory, map } = ringFixture(4096, new BpfMemory({ memory: unshared, maxBytes: 4 << 16 }));
    expect(() => shareRing(memory, map.area)).toThrow('its memory is not shared');
  });
});

describe('SharedRingConsumer', () => {
  it('gives up waiting after its timeout, and when the link is closed', () => {
    const { memory, map, produce } = ringFixture(4096, sharedMemory());
    const link = shareRing(memory, map.area);
    const consumer = new SharedRingConsumer(link.ring);
    expect(consumer.wait(1)).toBe(false);
    produce(record(1));
    link.close();
    expect([consumer.wait(), consumer.closed]).toEqual([true, true]);
    expect(consumer.consume(() => {})).toBe(1);
    expect(consumer.wait()).toBe(false);
  });

  it('has done with a record whose visitor threw, and gives its room back', () => {
    const { memory, map, produce } = ringFixture(4096, sharedMemory());
    const consumer = new SharedRingConsumer(shareRing(memory, map.area).ring);
    for (const number of [1, 2, 3]) produce(record(number));
    const numbers: number[] = [];
    const visit = (words: Int32Array, at: number): void => {
      numbers.push(words[at]);
      if (words[at] === 2) throw new Error('two');
    };
    expect(() => consumer.consume(visit)).toThrow('two');
    expect(consumer.consume(visit)).toBe(1);
    expect(numbers).toEqual([1, 2, 3]);
    expect(map.area.consumer).toBe(map.area.producer);
  });

  it('stops at a record that is being written', () => {
    const { memory, map, produce, reserve } = ringFixture(4096, sharedMemory());
    const consumer = new SharedRingConsumer(shareRing(memory, map.area).ring);
    const open = reserve(8);
    produce(record(2));
    expect([consumer.wait(1), consumer.consume(() => {})]).toEqual([false, 0]);
    map.area.discard(open, 0);
    expect([consumer.wait(1), consumer.consume(() => {}), consumer.delivered]).toEqual([true, 1, 1]);
  });

  it('follows positions beyond 32 bits', () => {
    const { memory, map, produce } = ringFixture(4096, sharedMemory());
    const start = 2n ** 32n - 64n;
    const { view } = memory;
    map.area.consumer = start;
    for (const field of [RingLayout.head, 8192, 8200]) view.setBigUint64(map.area.address + field, start, true);
    const consumer = new SharedRingConsumer(shareRing(memory, map.area).ring);
    const numbers: number[] = [];
    for (let number = 1; number < 20; number++) {
      expect(produce(new Uint8Array(8).fill(number))).toBe(true);
      consumer.consume((_, at, __, bytes) => numbers.push(bytes[4 * at]));
    }
    expect(numbers).toEqual(Array.from({ length: 19 }, (_, i) => i + 1));
    expect(map.area.consumer).toBe(start + 19n * 16n);
  });
});
