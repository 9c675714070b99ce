export { EventPeriod } from './event-period.js';
export { isCounted, NO_SOFTWARE_EVENTS, type SoftwareHit, type SoftwareSource } from './software-source.js';
export { PERF_EVENT_FLAGS, type PerfEventFlag } from './perf-event-flags.js';
export {
  encodePerfEventAttr,
  parsePerfEventAttr,
  PERF_ATTR_SIZE,
  PERF_ATTR_SIZES,
  PERF_ATTR_SIZE_VER0,
  perfEventAttr,
  type PerfEventAttr,
  type PerfEventAttrInit,
} from './perf-event-attr.js';
export { PerfEvent, type PerfEventCounts } from './perf-event.js';
export { PerfEvents } from './perf-events.js';
export { PerfOpenFlag, type PerfEventTarget } from './perf-open-rules.js';
export {
  PERF_CONTEXT_KERNEL,
  PERF_CONTEXT_USER,
  PERF_RECORD_MISC_KERNEL,
  PERF_RECORD_MISC_USER,
  type PerfComm,
  type PerfLost,
  type PerfMmap2,
  type PerfOtherRecord,
  type PerfReadValues,
  type PerfRecord,
  type PerfRecordFormat,
  type PerfSample,
  type PerfSampleId,
  type PerfSideRecord,
  type PerfTask,
  type PerfThrottle,
} from './perf-record.js';
export {
  openPerfBuffer,
  type PerfBufferOptions,
  PerfReader,
  type PerfReaderEvents,
  type PerfReaderLoss,
  type PerfReaderSample,
} from './perf-reader.js';
export { perfRingLedger } from './perf-ring-ledger.js';
export { PerfRing, type PerfRingOptions as PerfEventRingOptions } from './perf-ring.js';
export { decodePerfRecord, encodePerfRecord } from './record-codec.js';
export { SharedPerfConsumer } from './shared-perf-consumer.js';
export { type SharedPerfRing, type SharedPerfRingLink, sharePerfRing } from './shared-perf-ring.js';
