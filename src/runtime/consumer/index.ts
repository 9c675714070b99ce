export type { EventClass } from './event-class.js';
export { EventReader, type EventReaderEvents } from './event-reader.js';
export {
  eventDecoder,
  type EventDecoder,
  type EventType,
  eventType,
  inferEventType,
  type TypedEvent,
} from './event-type.js';
export {
  droppedTotal,
  formatLedger,
  isBalanced,
  LOSS_CAUSES,
  type LedgerRow,
  type LedgerSource,
  type LossCause,
  LossLedger,
} from './loss-ledger.js';
export type { RecordSource } from './record-pump.js';
export { type ReaderEvents, type ReaderOptions, RecordReader } from './record-reader.js';
export { RingBufferReader, type RingBufferReaderEvents, type RingLoss, type RingRecord } from './ring-buffer-reader.js';
export { ringLedger } from './ring-ledger.js';
export { SharedRingConsumer } from './shared-ring-consumer.js';
export { type RecordStream, type TypedReader, typedReader, type TypedRecord } from './typed-reader.js';
export {
  mapSource,
  type PolledLoss,
  type PolledRecord,
  Poller,
  type PollerEvents,
  type PollerOptions,
} from './poller.js';
export { type OrderCounts, type OrderOptions, ReorderBuffer } from './reorder-buffer.js';
