import type { RingBufferMap } from '../map/index.js';
import type { EventType, TypedEvent } from './event-type.js';
import { type ReaderEvents, type ReaderOptions, RecordReader } from './record-reader.js';
import { ringSource, type RingLoss } from './ring-buffer-reader.js';

export interface EventReaderEvents<E> extends ReaderEvents<RingLoss> {
  data: [event: E];
}

/**
 * Reads BPF_MAP_TYPE_RINGBUF maps whose records are of one type, as RingBufferReader does, but hands out events
 * (see `EventType`) instead of bytes: the way with the least cost per record.
 */
export class EventReader<E extends object = TypedEvent> extends RecordReader<E, EventReaderEvents<E>> {
  readonly maps: readonly RingBufferMap[];
  readonly type: EventType<E>;

  /** The maps must outlive the reader. */
  constructor(maps: RingBufferMap | readonly RingBufferMap[], type: EventType<E>, options: ReaderOptions = {}) {
    const list = 'area' in maps ? [maps] : maps;
    super(
      'data',
      list.map((map) => {
        const drain = type.drainOf(map.area.place);
        return ringSource<E>(map, drain, (loss) => this.reportLoss(loss));
      }),
      options,
    );
    this.maps = list;
    this.type = type;
  }
}
