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
export { probeRefusal } from './probe-refusal.js';
export type { ResolvedPlace } from './resolve.js';
export type {
  TrampolineKind,
  TrampolineLink,
  TrampolineMissed,
  TrampolineOptions,
} from './trampoline/function-trampoline.js';
export { Trampolines } from './trampoline/trampolines.js';
export {
  Uprobe,
  type UprobeHandler,
  type UprobeMissed,
  type UprobePlace,
  type UprobeSpec,
  type UretprobeHandler,
} from './uprobe.js';
export { UprobePrograms, type UprobeAttachment, type UprobeLink } from './uprobe-programs.js';
export { UprobeRegistry } from './uprobe-registry.js';
export { URETPROBE_DEPTH_MAX } from './uretprobe-calls.js';
export { ElfImage, type ElfImageSection, type ElfImageSymbol, type ElfSegment } from './usdt/elf-image.js';
export { parseUsdtArg, type UsdtArg } from './usdt/usdt-arg.js';
export { parseUsdtNotes, readUsdtNotes, type UsdtNote } from './usdt/usdt-notes.js';
export { encodeUsdtSpec, readUsdtArg, USDT_ARGS_MAX, USDT_SPEC_SIZE } from './usdt/usdt-spec.js';
