import type { Btf, BtfValue } from '../../btf/index.js';
import { eventDecoder, type EventDecoder } from './event-type.js';

/** What `typedReader` needs of a reader: RingBufferReader has it as it is. */
export interface RecordStream<T> extends AsyncIterable<T> {
  poll(handler?: (record: T) => void, limit?: number): number;
}

/** A record with the value its bytes stand for. */
export interface TypedRecord<T> {
  readonly record: T;
  readonly value: BtfValue;
}

/** A reader whose records come decoded. Pausing, closing and losses stay with the reader underneath. */
export interface TypedReader<T> extends AsyncIterable<TypedRecord<T>> {
  poll(handler: (record: TypedRecord<T>) => void, limit?: number): number;
}

/**
 * Decodes what `reader` reads as values of the BTF type `typeName`. ENOENT where the BTF has no such type;
 * a record shorter than the type is an EINVAL `BpfError` at the place where it is read.
 */
export function typedReader<T extends { readonly data: Uint8Array }>(
  reader: RecordStream<T>,
  btf: Btf,
  typeName: string,
): TypedReader<T> {
  const decode = eventDecoder(btf, typeName);
  return {
    poll: (handler, limit) => reader.poll((record) => handler(typed(record, decode)), limit),
    async *[Symbol.asyncIterator]() {
      for await (const record of reader) yield typed(record, decode);
    },
  };
}

function typed<T extends { readonly data: Uint8Array }>(record: T, decode: EventDecoder): TypedRecord<T> {
  return { record, value: decode(record.data) };
}
