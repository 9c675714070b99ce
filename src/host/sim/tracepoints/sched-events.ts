import type { HostMemory, TraceEventDescriptor, TraceRecord } from '../../index.js';
import type { KernelLayout } from '../kernel-layout.js';
import { put32, putText, traceEvent } from './event-builder.js';
import { read32, read64, readText } from './struct-reader.js';

const COMM = 16;
const TASK_REPORT = 0x7f;
/** What Linux reports for a task that was preempted. */
const REPORT_PREEMPTED = 0x100;

const REPORT_MASK =
  '(((0x00000000 | 0x00000001 | 0x00000002 | 0x00000004 | 0x00000008 | 0x00000010 | 0x00000020 | 0x00000040) + 1) << 1)';
const SWITCH_FMT =
  '"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s%s ==> next_comm=%s next_pid=%d next_prio=%d", REC->prev_comm, ' +
  `REC->prev_pid, REC->prev_prio, (REC->prev_state & (${REPORT_MASK} - 1)) ? __print_flags(REC->prev_state & (${REPORT_MASK} - 1), "|", ` +
  '{ 0x00000001, "S" }, { 0x00000002, "D" }, { 0x00000004, "T" }, { 0x00000008, "t" }, { 0x00000010, "X" }, { 0x00000020, "Z" }, ' +
  `{ 0x00000040, "P" }, { 0x00000080, "I" }) : "R", REC->prev_state & ${REPORT_MASK} ? "+" : "", ` +
  'REC->next_comm, REC->next_pid, REC->next_prio';

/** The scheduler's trace events, read from task_structs at the simulated kernel's offsets. */
export function schedEvents(layout: KernelLayout): Readonly<Record<string, TraceEventDescriptor>> {
  const at = {
    comm: layout.offset('task_struct', 'comm'),
    pid: layout.offset('task_struct', 'pid'),
    prio: layout.offset('task_struct', 'prio'),
    cpu: layout.offset('task_struct', 'cpu'),
    filename: layout.offset('linux_binprm', 'filename'),
  };

  const putComm = (record: TraceRecord, field: number, memory: HostMemory, lo: number, hi: number): void => {
    const sum = (lo >>> 0) + at.comm;
    memory.readKernel(sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi, record.data, record.start + field, COMM);
  };
  const putMember = (record: TraceRecord, field: number, memory: HostMemory, lo: number, hi: number, offset: number) =>
    put32(record, field, read32(memory, lo, hi, offset));

  const wakeup = (name: string): TraceEventDescriptor =>
    traceEvent(
      'sched',
      name,
      ['char comm[16]', 'pid_t pid', 'int prio', 'int target_cpu'],
      '"comm=%s pid=%d prio=%d target_cpu=%03d", REC->comm, REC->pid, REC->prio, REC->target_cpu',
      (args, record, memory) => {
        const [lo, hi] = [args[0], args[1]];
        putComm(record, 8, memory, lo, hi);
        putMember(record, 24, memory, lo, hi, at.pid);
        putMember(record, 28, memory, lo, hi, at.prio);
        putMember(record, 32, memory, lo, hi, at.cpu);
      },
    );

  const process = (name: string): TraceEventDescriptor =>
    traceEvent(
      'sched',
      name,
      ['char comm[16]', 'pid_t pid', 'int prio'],
      '"comm=%s pid=%d prio=%d", REC->comm, REC->pid, REC->prio',
      (args, record, memory) => {
        const [lo, hi] = [args[0], args[1]];
        putComm(record, 8, memory, lo, hi);
        putMember(record, 24, memory, lo, hi, at.pid);
        putMember(record, 28, memory, lo, hi, at.prio);
      },
    );

  return {
    sched_switch: traceEvent(
      'sched',
      'sched_switch',
      [
        'char prev_comm[16]',
        'pid_t prev_pid',
        'int prev_prio',
        'long prev_state',
        'char next_comm[16]',
        'pid_t next_pid',
        'int next_prio',
      ],
      SWITCH_FMT,
      (args, record, memory) => {
        const [prevLo, prevHi, nextLo, nextHi] = args.subarray(2, 6) as unknown as [number, number, number, number];
        putComm(record, 8, memory, prevLo, prevHi);
        putMember(record, 24, memory, prevLo, prevHi, at.pid);
        putMember(record, 28, memory, prevLo, prevHi, at.prio);
        put32(record, 32, reportedState(args[0], args[6]));
        putComm(record, 40, memory, nextLo, nextHi);
        putMember(record, 56, memory, nextLo, nextHi, at.pid);
        putMember(record, 60, memory, nextLo, nextHi, at.prio);
      },
    ),
    sched_waking: wakeup('sched_waking'),
    sched_wakeup: wakeup('sched_wakeup'),
    sched_wakeup_new: wakeup('sched_wakeup_new'),
    sched_migrate_task: traceEvent(
      'sched',
      'sched_migrate_task',
      ['char comm[16]', 'pid_t pid', 'int prio', 'int orig_cpu', 'int dest_cpu'],
      '"comm=%s pid=%d prio=%d orig_cpu=%d dest_cpu=%d", REC->comm, REC->pid, REC->prio, REC->orig_cpu, REC->dest_cpu',
      (args, record, memory) => {
        const [lo, hi] = [args[0], args[1]];
        putComm(record, 8, memory, lo, hi);
        putMember(record, 24, memory, lo, hi, at.pid);
        putMember(record, 28, memory, lo, hi, at.prio);
        putMember(record, 32, memory, lo, hi, at.cpu);
        put32(record, 36, args[2]);
      },
    ),
    sched_process_fork: traceEvent(
      'sched',
      'sched_process_fork',
      ['char parent_comm[16]', 'pid_t parent_pid', 'char child_comm[16]', 'pid_t child_pid'],
      '"comm=%s pid=%d child_comm=%s child_pid=%d", REC->parent_comm, REC->parent_pid, REC->child_comm, REC->child_pid',
      (args, record, memory) => {
        const [parentLo, parentHi, childLo, childHi] = args as unknown as [number, number, number, number];
        putComm(record, 8, memory, parentLo, parentHi);
        putMember(record, 24, memory, parentLo, parentHi, at.pid);
        putComm(record, 28, memory, childLo, childHi);
        putMember(record, 44, memory, childLo, childHi, at.pid);
      },
    ),
    sched_process_exec: traceEvent(
      'sched',
      'sched_process_exec',
      ['__data_loc char[] filename', 'pid_t pid', 'pid_t old_pid'],
      '"filename=%s pid=%d old_pid=%d", __get_str(filename), REC->pid, REC->old_pid',
      (args, record, memory) => {
        putText(record, 8, readText(memory, read64(memory, args[4], args[5], at.filename)));
        putMember(record, 12, memory, args[0], args[1], at.pid);
        put32(record, 16, args[2]);
      },
    ),
    sched_process_exit: process('sched_process_exit'),
    sched_process_free: process('sched_process_free'),
  };
}

/** __trace_sched_switch_state: one bit for the state, or the bit above all of them for a preempted task. */
function reportedState(preempted: number, state: number): number {
  if ((preempted & 0xff) !== 0) return REPORT_PREEMPTED;
  const reported = state & TASK_REPORT;
  return reported === 0 ? 0 : 1 << (31 - Math.clz32(reported));
}
