import type { TraceEventDescriptor } from '../../index.js';
import { arg, bytes, fieldEvent } from './event-fields.js';
import type { EventParts } from './event-parts.js';

/** Tasks that appear and that change their names. */
export function taskEvents({ members }: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  const pid = members.field(0, 'task_struct.pid');
  const comm = members.array(0, 'task_struct.comm');
  const score = members.field(0, 'task_struct.signal', 'signal_struct.oom_score_adj');
  return {
    task_newtask: fieldEvent(
      'task',
      'task_newtask',
      '"pid=%d comm=%s clone_flags=%lx oom_score_adj=%hd", REC->pid, REC->comm, REC->clone_flags, REC->oom_score_adj',
      [
        ['pid_t pid', pid],
        ['char comm[16]', comm],
        ['unsigned long clone_flags', arg(1)],
        ['short oom_score_adj', score],
      ],
    ),
    task_rename: fieldEvent(
      'task',
      'task_rename',
      '"pid=%d oldcomm=%s newcomm=%s oom_score_adj=%hd", REC->pid, REC->oldcomm, REC->newcomm, REC->oom_score_adj',
      [
        ['pid_t pid', pid],
        ['char oldcomm[16]', comm],
        ['char newcomm[16]', bytes((args) => ({ lo: args[2], hi: args[3] }))],
        ['short oom_score_adj', score],
      ],
    ),
  };
}
