import { BpfError, BpfProgType } from '../base/index.js';
import {
  type AttachmentOptions,
  type BpfProgram,
  type HookContext,
  linkProgram,
  type ProgramLink,
  type Runtime,
} from '../runtime/index.js';
import type { EventRecord } from './event-record.js';
import type { TraceEvent } from './trace-event.js';

/** A program attached to a trace event, until `detach`. */
export interface TracepointLink extends ProgramLink {
  readonly event: TraceEvent;
}

/**
 * Attaches a program of type tracepoint to a trace event. Its context is the record itself. In Linux the first
 * eight bytes hold a hidden pointer to the registers, which the verifier keeps programs from reading; here they
 * stay the common header, and are as little theirs to read. EINVAL for a program of another type.
 */
export function attachTracepoint(
  runtime: Runtime,
  program: BpfProgram,
  event: TraceEvent,
  options: Pick<AttachmentOptions, 'cookie' | 'onFault'> = {},
): TracepointLink {
  if (program.type !== BpfProgType.BPF_PROG_TYPE_TRACEPOINT) {
    throw new BpfError('EINVAL', `attaching ${program.name} to trace event ${event.system}:${event.name}`, {
      value: program.type,
      remedy: 'only programs of type tracepoint run there',
    });
  }
  const hook: HookContext = { size: event.descriptor.size, regs: null };
  const prepare = (record: EventRecord): number => {
    hook.size = record.length;
    return record.start;
  };
  return Object.assign(linkProgram(runtime, program, event, { owner: runtime, hook, prepare }, options), { event });
}
