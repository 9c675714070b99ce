export { insnBoundaries } from './boundary.js';
export {
  Kprobe,
  type KprobeMissed,
  type KprobePlace,
  type KprobePostHandler,
  type KprobePreHandler,
  type KprobeSpec,
} from './kprobe.js';
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
