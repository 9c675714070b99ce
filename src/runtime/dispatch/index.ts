export { AttachPoint, type AttachPointOptions } from './attach-point.js';
export { ContextSlots } from './context-slots.js';
export type { Hit, Prepare } from './hit-code.js';
export { type HookListeners, linkProgram, type ProgramLink } from './program-link.js';
export {
  ProgramAttachment,
  type AttachmentCounts,
  type AttachmentOptions,
  type HookContext,
} from './program-attachment.js';
