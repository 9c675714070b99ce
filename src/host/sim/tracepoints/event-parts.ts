import type { KernelLayout } from '../kernel-layout.js';
import type { Members } from './event-fields.js';

/** What the groups of trace events are made from. */
export interface EventParts {
  readonly layout: KernelLayout;
  readonly members: Members;
  /** Bytes of the running task's name; false where it cannot be read. */
  readonly currentComm: (dst: Uint8Array, offset: number) => boolean;
  /** Address of the running task. */
  readonly currentTask: (out: Int32Array) => void;
}
