import { decode, slots } from '../layout.js';
import { offCpuWaits, runQueueWaits, type Wait } from '../sched-models.js';
import { events, histogram, histograms, MIXED, rows, slotOf, sums, type Tool, u32 } from '../tool.js';
import type { ToolSession } from '../tool-session.js';

const text = (bytes: Uint8Array): string => decode({ text: bytes.length }, bytes).text;

/** Histograms of microseconds by thread: slots, then the name that the thread had at first. */
function byThread(session: ToolSession, count: number): string[] {
  return session
    .elements('hists')
    .map(({ key, value }) => histogram(`${u32(key)} ${text(value.subarray(4 * count))}`, slots(value, count)));
}

function waitsByThread(waits: readonly Wait[], count: number): string[] {
  const names = new Map<number, string>();
  for (const { next } of waits) if (!names.has(next.pid)) names.set(next.pid, next.comm);
  return histograms(
    waits,
    ({ next: { pid } }) => `${pid} ${names.get(pid)}`,
    ({ ns }) => slotOf(ns / 1000n, count),
  );
}

export const schedTools: readonly Tool[] = [
  {
    name: 'cpudist',
    workload: MIXED,
    variables: { targ_offcpu: true, targ_per_thread: true, targ_tgid: -1 },
    without: ['sched_switch_tp'],
    maps: { start: { maxEntries: 4096 }, hists: { maxEntries: 4096 } },
    compares: 'histogram and name of each thread',
    compare: (session) => {
      const waits = offCpuWaits(session);
      return sums(byThread(session, 36), waitsByThread(waits, 36), waits.length);
    },
  },
  {
    name: 'runqlat',
    workload: MIXED,
    variables: { targ_per_thread: true },
    without: ['handle_sched_wakeup', 'handle_sched_wakeup_new', 'handle_sched_switch'],
    compares: 'histogram and name of each thread',
    compare: (session) => {
      const waits = runQueueWaits(session);
      return sums(byThread(session, 26), waitsByThread(waits, 26), waits.length);
    },
  },
  {
    name: 'runqslower',
    workload: MIXED,
    without: ['handle_sched_wakeup', 'handle_sched_wakeup_new', 'handle_sched_switch'],
    compares: 'names, pids and microseconds of each wait for a CPU',
    compare: (session) =>
      rows(
        events(session, { task: 16, prev_task: 16, delta_us: 'u64', pid: 'u32', prev_pid: 'u32' }).map((event) => [
          event.task,
          event.prev_task,
          event.delta_us,
          event.pid,
          event.prev_pid,
        ]),
        runQueueWaits(session).map(({ prev, next, ns }) => [next.comm, prev.comm, ns / 1000n, next.pid, prev.pid]),
      ),
  },
];
