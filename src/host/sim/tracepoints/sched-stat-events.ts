import type { TraceEventDescriptor } from '../../index.js';
import { arg, bytes, fieldEvent, value } from './event-fields.js';
import type { EventParts } from './event-parts.js';
import { readMember } from './struct-reader.js';

/** How long tasks ran, waited, slept and were blocked; who waits for a child. */
export function schedStatEvents({
  members,
  currentComm,
  currentTask,
}: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  const pid = members.field(0, 'task_struct.pid');
  const comm = members.array(0, 'task_struct.comm');
  const task = new Int32Array(2);
  const current = (): { lo: number; hi: number } => {
    currentTask(task);
    return { lo: task[0], hi: task[1] };
  };
  const numbers = members.place(0, 'pid.numbers');
  const stat = (name: string): TraceEventDescriptor =>
    fieldEvent('sched', name, '"comm=%s pid=%d delay=%Lu [ns]", REC->comm, REC->pid, (unsigned long long)REC->delay', [
      ['char comm[16]', comm],
      ['pid_t pid', pid],
      ['u64 delay', arg(1)],
    ]);
  return {
    sched_stat_wait: stat('sched_stat_wait'),
    sched_stat_sleep: stat('sched_stat_sleep'),
    sched_stat_iowait: stat('sched_stat_iowait'),
    sched_stat_blocked: stat('sched_stat_blocked'),
    sched_stat_runtime: fieldEvent(
      'sched',
      'sched_stat_runtime',
      '"comm=%s pid=%d runtime=%Lu [ns] vruntime=%Lu [ns]", REC->comm, REC->pid, (unsigned long long)REC->runtime, (unsigned long long)REC->vruntime',
      [
        ['char comm[16]', comm],
        ['pid_t pid', pid],
        ['u64 runtime', arg(1)],
        ['u64 vruntime', arg(2)],
      ],
    ),
    sched_process_wait: fieldEvent(
      'sched',
      'sched_process_wait',
      '"comm=%s pid=%d prio=%d", REC->comm, REC->pid, REC->prio',
      [
        ['char comm[16]', (record, offset) => void currentComm(record.data, record.start + offset)],
        // No struct pid: any child.
        ['pid_t pid', value((args, memory) => readMember(memory, numbers(args, memory), 0, 4))],
        ['int prio', bytes(members.follow(current, 'task_struct.prio'))],
      ],
    ),
  };
}
