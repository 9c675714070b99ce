import type { AttachmentCounts } from '../../runtime/index.js';
import type { HookAccount } from './hook.js';

/** The account of a hook whose hits all reach the attachment. */
export function callAccount({ hits, runs, recursion, nesting, faults }: AttachmentCounts): HookAccount {
  return { seen: hits, delivered: runs - faults, pending: 0, dropped: { recursion, nesting, fault: faults } };
}
