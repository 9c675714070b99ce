export { PerfMmapPage, PerfRingArea, type PerfRingOptions, type PerfRingPlace } from './perf-ring-area.js';
export { PendingWakeups, type WakeSource } from './pending-wakeups.js';
export type { PerfEventSink } from './perf-sink.js';
export { RingBufferArea, type RingBufferCounts } from './ring-buffer-area.js';
export { RingBufferConsumer, type RingRecordHandler } from './ring-buffer-consumer.js';
export { RING_PAGE, RingLayout, ringRecordSize } from './ring-buffer-layout.js';
export { Doorbell } from './doorbell.js';
export { drainRing, type RecordFlow, type RecordVisitor, type RingPlace } from './drain-ring.js';
export {
  drainSharedRing,
  RELEASE_BATCH,
  type SharedRing,
  SharedRingCursor,
  type SharedRingLink,
  shareRing,
} from './shared-ring.js';
