import { beforeEach, describe, expect, it } from 'vitest';
import { BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';
import { RingBufferArea } from '../../../src/runtime/ring/ring-buffer-area.js';
import { RingBufferConsumer } from '../../../src/runtime/ring/ring-buffer-consumer.js';
import { RingLayout } from '../../../src/runtime/ring/ring-buffer-layout.js';

const SIZE = 4096;
const NO_WAKEUP = 1;
const FORCE_WAKEUP = 2;
const AVAIL_DATA = 0;
const PROD_POS = 3;

let memory: BpfMemory;
let area: RingBufferArea;
let consumer: RingBufferConsumer;
let wakeups: number;

beforeEach(() => {
  memory = new BpfMemory();
  area = new RingBufferArea(memory, memory.alloc(RingBufferArea.bytes(SIZE), 4096), SIZE);
  consumer = new RingBufferConsumer(memory, area);
  wakeups = 0;
  consumer.onWakeup(() => wakeups++);
});

/** Puts a record of `size` bytes of `fill` into the ring. */
function emit(size: number, fill: number, flags = 0): boolean {
  const offset = area.reserve(size);
  if (offset === 0) return false;
  memory.u8.fill(fill, offset, offset + size);
  area.submit(offset, flags);
  return true;
}

function fills(): number[] {
  const seen: number[] = [];
  consumer.consume((data) => seen.push(data[0] ?? -1));
  return seen;
}

describe('the pages', () => {
  it('are those of Linux: private, consumer, producer, data twice', () => {
    expect(RingLayout).toMatchObject({ consumerPage: 4096, producerPage: 8192, pendingPos: 8200, data: 12288 });
    emit(5, 0xaa);
    const { view } = memory;
    expect(view.getBigUint64(area.address + 8192, true), 'producer').toBe(16n);
    expect(view.getBigUint64(area.address + 4096, true), 'consumer').toBe(0n);
    expect([...memory.u8.subarray(area.address + 12288, area.address + 12304)]).toEqual([
      5, 0, 0, 0, 3, 0, 0, 0, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0, 0, 0,
    ]);
  });

  it('a record tells in pages how far it is from the first page', () => {
    area = new RingBufferArea(memory, memory.alloc(RingBufferArea.bytes(2 * SIZE), 4096), 2 * SIZE);
    const pages = [4080, 8, 8].map((size) => {
      const header = area.reserve(size) - 8;
      return [header - area.address - RingLayout.data, memory.view.getUint32(header + 4, true)];
    });
    expect(pages).toEqual([
      [0, 3],
      [4088, 3],
      [4104, 4],
    ]);
  });
});

describe('reserve', () => {
  it.each([
    [4080, true],
    [4081, false],
    [4088, false],
    [0x3fff_ffff, false],
    [0x4000_0000, false],
  ])('%d bytes in an empty ring: %s', (size, fits) => {
    expect(area.reserve(size) !== 0).toBe(fits);
    expect(area.counts.dropped).toBe(fits ? 0 : 1);
  });

  it('counts each refusal once, and room comes back by consuming', () => {
    expect([emit(2040, 1), emit(2032, 2), emit(8, 3), emit(1, 4)]).toEqual([true, true, false, false]);
    expect(area.counts).toEqual({ reserved: 2, submitted: 2, discarded: 0, dropped: 2 });
    expect(fills()).toEqual([1, 2]);
    expect(emit(8, 3)).toBe(true);
  });

  it('does not run over a record that is still open, even if the consumer position allows it', () => {
    const open = area.reserve(1000);
    emit(1000, 1);
    area.consumer = area.producer;
    expect(emit(3000, 2)).toBe(false);
    area.discard(open, 0);
    expect(emit(3000, 2)).toBe(true);
  });
});

describe('records past the end', () => {
  it('are one piece for the program and for a consumer, and wrapped in the first half', () => {
    emit(4000, 1);
    expect(fills()).toEqual([1]);
    const offset = area.reserve(200);
    for (let i = 0; i < 200; i++) memory.u8[offset + i] = i;
    area.submit(offset, 0);
    const copies: number[][] = [];
    consumer.consume((data) => copies.push([...data]));
    expect(copies).toEqual([Array.from({ length: 200 }, (_, i) => i)]);
    const data = area.address + RingLayout.data;
    expect([...memory.u8.subarray(data, data + 4)], 'at position & mask').toEqual([80, 81, 82, 83]);
  });
});

describe('wakeups', () => {
  it('come when the consumer stands at the record', () => {
    emit(8, 1);
    emit(8, 2);
    expect(wakeups, 'the second is not where the consumer waits').toBe(1);
    fills();
    emit(8, 3);
    expect(wakeups).toBe(2);
  });

  it('follow the flags', () => {
    emit(8, 1, NO_WAKEUP);
    expect(wakeups).toBe(0);
    emit(8, 2, FORCE_WAKEUP);
    expect(wakeups).toBe(1);
    emit(8, 3, FORCE_WAKEUP | NO_WAKEUP);
    expect(wakeups).toBe(2);
  });

  it('end with the subscription', () => {
    let extra = 0;
    const stop = consumer.onWakeup(() => extra++);
    emit(8, 1);
    stop();
    emit(8, 2, FORCE_WAKEUP);
    expect([extra, wakeups]).toEqual([1, 2]);
  });
});

describe('the consumer', () => {
  it('stops at a record that is being written and skips discarded ones', () => {
    emit(8, 1);
    const open = area.reserve(8);
    emit(8, 3);
    expect(fills()).toEqual([1]);
    expect(consumer.readable).toBe(true);
    area.discard(open, 0);
    expect(fills()).toEqual([3]);
    expect(consumer.readable).toBe(false);
  });

  it('has moved past a record whose handler threw', () => {
    emit(8, 1);
    emit(8, 2);
    expect(() =>
      consumer.consume(() => {
        throw new Error('handler');
      }),
    ).toThrow('handler');
    expect(area.consumer).toBe(16n);
    expect(fills()).toEqual([2]);
  });

  it('hands out no more than asked for', () => {
    for (let i = 1; i <= 5; i++) emit(8, i);
    expect(consumer.consume(() => undefined, 2)).toBe(2);
    expect(fills()).toEqual([3, 4, 5]);
  });

  it('handles empty records', () => {
    emit(0, 0);
    emit(0, 0);
    expect(fills()).toEqual([-1, -1]);
    expect(area.consumer).toBe(16n);
  });
});

describe('a ring in shared memory', () => {
  it('shows consumers a record once it or a later one is committed; programs see the position at once', () => {
    memory = new BpfMemory({ shared: true, maxBytes: 1 << 20 });
    area = new RingBufferArea(memory, memory.alloc(RingBufferArea.bytes(SIZE), 4096), SIZE);
    const [first, second, third] = [8, 8, 8].map((size) => area.reserve(size));
    const seen = (): unknown[] => [area.producer, area.query(PROD_POS), area.query(AVAIL_DATA)];
    expect(seen()).toEqual([0n, 48n, 48n]);
    area.submit(second ?? 0, 0);
    expect(seen(), 'with the third still open').toEqual([48n, 48n, 48n]);
    consumer = new RingBufferConsumer(memory, area);
    expect(fills(), 'behind the first').toEqual([]);
    for (const record of [third, first]) area.submit(record ?? 0, 0);
    expect(fills()).toEqual([0, 0, 0]);
    expect(emit(8, 7)).toBe(true);
    expect(fills()).toEqual([7]);
  });
});
