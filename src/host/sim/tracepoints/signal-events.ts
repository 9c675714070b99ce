import type { TraceEventDescriptor } from '../../index.js';
import { arg, fieldEvent } from './event-fields.js';
import type { EventParts } from './event-parts.js';

/** Signals sent and signals that reach their task. */
export function signalEvents({ members }: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  return {
    signal_generate: fieldEvent(
      'signal',
      'signal_generate',
      '"sig=%d errno=%d code=%d comm=%s pid=%d grp=%d res=%d", REC->sig, REC->errno, REC->code, REC->comm, REC->pid, REC->group, REC->result',
      [
        ['int sig', arg(0)],
        ['int errno', members.field(1, 'kernel_siginfo.si_errno')],
        ['int code', members.field(1, 'kernel_siginfo.si_code')],
        ['char comm[16]', members.array(2, 'task_struct.comm')],
        ['pid_t pid', members.field(2, 'task_struct.pid')],
        ['int group', arg(3)],
        ['int result', arg(4)],
      ],
    ),
    signal_deliver: fieldEvent(
      'signal',
      'signal_deliver',
      '"sig=%d errno=%d code=%d sa_handler=%lx sa_flags=%lx", REC->sig, REC->errno, REC->code, REC->sa_handler, REC->sa_flags',
      [
        ['int sig', arg(0)],
        ['int errno', members.field(1, 'kernel_siginfo.si_errno')],
        ['int code', members.field(1, 'kernel_siginfo.si_code')],
        ['unsigned long sa_handler', members.field(2, 'k_sigaction.sa.sa_handler')],
        ['unsigned long sa_flags', members.field(2, 'k_sigaction.sa.sa_flags')],
      ],
    ),
  };
}
