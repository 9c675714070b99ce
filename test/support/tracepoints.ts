import type { TraceField, TracepointDescriptor } from '../../src/host/index.js';
import { argument } from './test-host.js';

function field(type: string, name: string, offset: number, size: number, signed = false, arrayLength = 0): TraceField {
  return { name, type, arrayLength, offset, size, signed };
}

/** sched_switch(bool preempt, prev, next, prev_state) with fewer fields; `prev` and `next` are pids here. */
export const SCHED_SWITCH: TracepointDescriptor = {
  name: 'sched_switch',
  args: [
    { name: 'preempt', type: 'bool' },
    { name: 'prev', type: 'struct task_struct *' },
    { name: 'next', type: 'struct task_struct *' },
    { name: 'prev_state', type: 'unsigned int' },
  ],
  writableSize: 0,
  events: [
    {
      system: 'sched',
      name: 'sched_switch',
      fields: [
        field('char', 'prev_comm', 8, 16, false, 16),
        field('pid_t', 'prev_pid', 24, 4, true),
        field('long', 'prev_state', 32, 8, true),
        field('pid_t', 'next_pid', 40, 4, true),
      ],
      size: 48,
      printFmt:
        '"prev_comm=%s prev_pid=%d prev_state=%ld ==> next_pid=%d", REC->prev_comm, REC->prev_pid, REC->prev_state, REC->next_pid',
      assign(args, { data, view, start }) {
        data.set(new TextEncoder().encode('swapper'), start + 8);
        view.setInt32(start + 24, Number(argument(args, 1)), true);
        view.setBigInt64(start + 32, BigInt.asIntN(64, argument(args, 3)), true);
        view.setInt32(start + 40, Number(argument(args, 2)), true);
      },
    },
  ],
};

function enterEvent(system: string, name: string, nr: number | null): TracepointDescriptor['events'][number] {
  return {
    system,
    name,
    fields: [field('long', 'id', 8, 8, true), field('unsigned long', 'args', 16, 16, false, 2)],
    size: 32,
    printFmt: '"NR %ld", REC->id',
    ...(nr === null ? {} : { accepts: (args: Int32Array) => args[2] === nr }),
    assign(args, { view, start }) {
      view.setBigInt64(start + 8, argument(args, 1), true);
    },
  };
}

/** One tracepoint that feeds several events, as sys_enter does. */
export const SYS_ENTER: TracepointDescriptor = {
  name: 'sys_enter',
  args: [
    { name: 'regs', type: 'struct pt_regs *' },
    { name: 'id', type: 'long' },
  ],
  writableSize: 0,
  events: [
    enterEvent('raw_syscalls', 'sys_enter', null),
    enterEvent('syscalls', 'sys_enter_read', 0),
    enterEvent('syscalls', 'sys_enter_write', 1),
  ],
};
