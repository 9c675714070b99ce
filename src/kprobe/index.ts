export { insnBoundaries } from './boundary.js';
export { KprobeEvent, type EventProbe } from './event/kprobe-event.js';
export { KprobeEvents, type KprobeEventListener } from './event/kprobe-events.js';
export type { EventDefinition, EventPlace } from './event/event-definition.js';
export type { EventLayout } from './event/event-layout.js';
export type { FetchArg, FetchBitfield, FetchSource } from './event/fetch-arg.js';
export type { FetchStore } from './event/compile-store.js';
export type { FetchFormat, FetchType } from './event/fetch-type.js';
export { printEvent, type PrintedEvent } from './event/print-event.js';
export { PROBE_EVENT_ERRORS, ProbeEventError, type ProbeEventErrorName } from './event/probe-event-error.js';
export {
  Kprobe,
  type KprobeMissed,
  type KprobePlace,
  type KprobePostHandler,
  type KprobePreHandler,
  type KprobeSpec,
} from './kprobe.js';
export type { KprobeMultiAttachment, KprobeMultiLink, MultiOn, MultiProbe } from './kprobe-multi.js';
export { globMatches, type MultiFunction, type MultiSelection } from './multi-functions.js';
export { KprobePrograms, type KprobeAttachment, type KprobeLink, type KretprobeAttachment } from './kprobe-programs.js';
export { KprobeRegistry } from './kprobe-registry.js';
export {
  Kretprobe,
  KretprobeInstance,
  type KretprobeEntryHandler,
  type KretprobeHandler,
  type KretprobeMissed,
  type KretprobeSpec,
} from './kretprobe.js';
export { KRETPROBE_MAXACTIVE_MAX, KretprobeRegistry } from './kretprobe-registry.js';
export type { ResolvedPlace } from './resolve.js';
