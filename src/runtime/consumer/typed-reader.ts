import type { EventType, TypedEvent } from './event-type.js';

/** What `typedReader` needs of a reader: RingBufferReader and PerfReader have it as they are. */
export interface RecordStream<T> extends AsyncIterable<T> {
  poll(handler?: (record: T) => void, limit?: number): number;
}

/** A record with the event that its bytes are. */
export interface TypedRecord<T, E extends object = TypedEvent> {
  readonly record: T;
  readonly value: E;
}

/** A reader whose records come decoded. Pausing, closing and losses stay with the reader underneath. */
export interface TypedReader<T, E extends object = TypedEvent> extends AsyncIterable<TypedRecord<T, E>> {
  poll(handler: (record: TypedRecord<T, E>) => void, limit?: number): number;
}

/**
 * Decodes what `reader` reads as events of `type`, and keeps the record beside each: for samples, and where it matters
 * which ring a record came from. A record shorter than the type is an EINVAL `BpfError` where it is read.
 */
export function typedReader<T extends { readonly data: Uint8Array }, E extends object>(
  reader: RecordStream<T>,
  type: EventType<E>,
): TypedReader<T, E> {
  const typed = (record: T): TypedRecord<T, E> => ({ record, value: type.decode(record.data) });
  return {
    poll: (handler, limit) => reader.poll((record) => handler(typed(record)), limit),
    async *[Symbol.asyncIterator]() {
      for await (const record of reader) yield typed(record);
    },
  };
}
