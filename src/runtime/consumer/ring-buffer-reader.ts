import type { RingBufferMap } from '../map/index.js';
import type { BpfMemory } from '../memory/bpf-memory.js';
import { drainRing } from '../ring/index.js';
import type { RecordSource } from './record-pump.js';
import { type ReaderEvents, type ReaderOptions, RecordReader } from './record-reader.js';

/** One record of a BPF ring buffer. */
export interface RingRecord {
  readonly map: RingBufferMap;
  /** The bytes the program submitted, copied. */
  readonly data: Uint8Array;
}

/** Reservations that failed since the reader was made or last told of any: no room, or a record too large. */
export interface RingLoss {
  readonly map: RingBufferMap;
  readonly lost: number;
}

export interface RingBufferReaderEvents extends ReaderEvents<RingLoss> {
  data: [record: RingRecord];
}

/**
 * Reads BPF_MAP_TYPE_RINGBUF maps as libbpf's ring_buffer does: complete records in the order they were
 * reserved, up to the first one that is still being written. Several maps may share one reader; it takes
 * from each in turn. Records of one ring keep their order, those of different rings have none.
 */
export class RingBufferReader extends RecordReader<RingRecord, RingBufferReaderEvents> {
  readonly maps: readonly RingBufferMap[];

  /** `memory` is the runtime's, in which the maps live. The maps must outlive the reader. */
  constructor(memory: BpfMemory, maps: RingBufferMap | readonly RingBufferMap[], options: ReaderOptions = {}) {
    const list = 'area' in maps ? [maps] : maps;
    super(
      'data',
      list.map((map) => ringSource(map, copyingDrain(memory, map), (loss) => this.reportLoss(loss))),
      options,
    );
    this.maps = list;
  }
}

/** The records of one ring as `drain` makes them, and its losses. */
export function ringSource<T>(
  map: RingBufferMap,
  drain: RecordSource<T>['drain'],
  lost: (loss: RingLoss) => void,
): RecordSource<T> {
  const { area } = map;
  let reported = area.counts.dropped;
  return {
    drain,
    drained() {
      const count = area.counts.dropped - reported;
      reported += count;
      if (count > 0) lost({ map, lost: count });
    },
    onWakeup: (waker) => area.onWakeup(waker),
  };
}

function copyingDrain(memory: BpfMemory, map: RingBufferMap): RecordSource<RingRecord>['drain'] {
  const { place } = map.area;
  return (flow, deliver, limit) =>
    drainRing(place, flow, (_, at, length) => deliver({ map, data: memory.u8.slice(4 * at, 4 * at + length) }), limit);
}
