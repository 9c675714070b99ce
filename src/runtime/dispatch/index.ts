export { ContextSlots } from './context-slots.js';
export {
  ProgramAttachment,
  type AttachmentCounts,
  type AttachmentOptions,
  type HookContext,
} from './program-attachment.js';
