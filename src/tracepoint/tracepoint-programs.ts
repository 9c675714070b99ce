import { BpfError, BpfProgType } from '../base/index.js';
import {
  ProgramAttachment,
  type AttachmentCounts,
  type AttachmentOptions,
  type BpfProgram,
  type HookContext,
  type Runtime,
} from '../runtime/index.js';
import type { TraceEvent, TraceEventConsumer } from './trace-event.js';

/** A program attached to a trace event, until `detach`. */
export interface TracepointLink {
  readonly event: TraceEvent;
  readonly program: BpfProgram;
  readonly counts: AttachmentCounts;
  /** Idempotent, and safe from inside the program's own run. */
  detach(): void;
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
  const call = new ProgramAttachment(runtime, program, hook, options);
  const runProgram: TraceEventConsumer = (_data, record, cpu) => {
    hook.size = record.length;
    call.hit(record.start, cpu);
  };
  event.register(runProgram, call);
  let attached = true;
  return {
    event,
    program,
    get counts() {
      return call.counts;
    },
    detach() {
      if (!attached) return;
      attached = false;
      event.unregister(runProgram, call);
      call.dispose();
    },
  };
}
