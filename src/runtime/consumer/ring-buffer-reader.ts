import type { RingBufferMap } from '../map/index.js';
import type { BpfMemory } from '../memory/bpf-memory.js';
import { RingBufferConsumer } from '../ring/index.js';
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
      list.map((map) => ringSource(memory, map, (loss) => this.reportLoss(loss))),
      options,
    );
    this.maps = list;
  }
}

function ringSource(memory: BpfMemory, map: RingBufferMap, lost: (loss: RingLoss) => void): RecordSource<RingRecord> {
  const consumer = new RingBufferConsumer(memory, map.area);
  let reported = map.area.counts.dropped;
  let data: Uint8Array | undefined;
  const copy = (view: Uint8Array): void => {
    data = view.slice();
  };
  return {
    take() {
      data = undefined;
      consumer.consume(copy, 1);
      return data === undefined ? undefined : { map, data };
    },
    drained() {
      const count = map.area.counts.dropped - reported;
      reported += count;
      if (count > 0) lost({ map, lost: count });
    },
    onWakeup: (waker) => consumer.onWakeup(waker),
  };
}
