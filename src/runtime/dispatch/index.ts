export { ContextSlots } from './context-slots.js';
export {
  ProgramAttachment,
  RawTraceCall,
  TraceCall,
  type AttachmentCounts,
  type AttachmentOptions,
} from './program-attachment.js';
