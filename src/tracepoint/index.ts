export { DEFAULT_PRIORITY } from './callback-list.js';
export {
  DefinedTracepoint,
  defineTracepoint,
  type TracepointArgs,
  type TracepointArgType,
  type TracepointDefinition,
  type TracepointValue,
  type TracepointValues,
} from './define-tracepoint.js';
export { COMMON_HEADER_SIZE, MAX_RECORD_SIZE, type EventRecord } from './event-record.js';
export { formatOf } from './format.js';
export { TraceEvent, type TraceEventConsumer } from './trace-event.js';
export { Tracepoint, type TracepointProbe } from './tracepoint.js';
export { attachTracepoint, type TracepointLink } from './tracepoint-programs.js';
export { TracepointRegistry } from './tracepoint-registry.js';
export { TracepointSet, type TracepointMember } from './tracepoint-set.js';
