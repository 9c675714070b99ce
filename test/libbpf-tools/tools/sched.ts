import { decode, slots } from '../layout.js';
import { countBy } from '../journal-models.js';
import { isSwitch, offCpuWaits, runQueueWaits, schedule, type Wait } from '../sched-models.js';
import { STACK_MAP, StackBuckets } from '../stack-buckets.js';
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
    workload: { workload: 'mixed', seed: 4 },
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
  {
    name: 'wakeuptime',
    workload: MIXED,
    maps: STACK_MAP,
    reads: { sched_wakeup: 'stacks' },
    compares: 'names, stack and nanoseconds of each waker and target',
    compare: (session) => {
      const since = new Map<number, bigint>();
      const stacks = new StackBuckets();
      const slept = schedule(session).flatMap((event) => {
        if (isSwitch(event)) {
          since.set(event.prev.pid, event.time);
          return [];
        }
        const { woken, waker, time, pass, isNew } = event;
        const began = isNew ? undefined : since.get(woken.pid);
        if (began === undefined) return [];
        since.delete(woken.pid);
        return [{ key: [woken.comm, waker.comm, stacks.keep(pass.kernel)], ns: time - began }];
      });
      const key = { waker: 16, target: 16, stack: 'i32' } as const;
      return sums(
        session.elements('counts').map((each) => {
          const { waker, target, stack } = decode(key, each.key);
          return `${String([target, waker, session.stack('stackmap', stack)])}: ${decode({ ns: 'u64' }, each.value).ns}`;
        }),
        countBy(
          slept,
          ({ key: names }) => names,
          ({ ns }) => Number(ns),
        ),
        slept.length,
      );
    },
  },
  {
    name: 'offcputime',
    workload: { workload: 'mixed', seed: 4 },
    maps: STACK_MAP,
    reads: { sched_switch: 'stacks' },
    compares: 'thread, process, name, both stacks and microseconds of each way off a CPU',
    compare: (session) => {
      const since = new Map<number, { key: string; time: bigint }>();
      const names = new Map<string, string>();
      const stacks = new StackBuckets();
      const spent = new Map<string, bigint>();
      for (const { cpu, time, pass, prev, next } of schedule(session).filter(isSwitch)) {
        // The tool tells idle threads apart by putting the CPU's number in the place of their pid.
        const pid = prev.pid === 0 ? cpu : prev.pid;
        const user = prev.kthread ? 'errno 1' : stacks.keep(pass.user);
        const key = String([pid, prev.tgid, user, stacks.keep(pass.kernel)]);
        since.set(pid, { key, time });
        if (!names.has(key)) names.set(key, prev.comm);
        spent.set(key, spent.get(key) ?? 0n);
        const began = since.get(next.pid);
        since.delete(next.pid);
        if (began !== undefined) spent.set(began.key, (spent.get(began.key) ?? 0n) + (time - began.time) / 1000n);
      }
      const elements = session.elements('info');
      return sums(
        elements.map(({ key, value }) => {
          const { pid, tgid, user, kernel } = decode({ pid: 'u32', tgid: 'u32', user: 'i32', kernel: 'i32' }, key);
          const found = [user, kernel].map((id) => session.stack('stackmap', id));
          const { delta, comm } = decode({ delta: 'u64', comm: 16 }, value);
          return `${String([pid, tgid, ...found])} ${comm}: ${delta}`;
        }),
        [...spent].map(([key, us]) => `${key} ${names.get(key)}: ${us}`),
        elements.length,
      );
    },
  },
  {
    name: 'runqlen',
    workload: { workload: 'compile', seed: 3 },
    attach: { do_sample: { frequency: 10_000 } },
    compares: 'histogram of tasks waiting on the sampled CPU',
    compare: (session) => {
      const { samples } = session.execution;
      const hists = session.variable('hists') as unknown as readonly { slots: readonly number[] }[];
      const waiting = samples.map((running) => Math.min(Math.max(running - 1, 0), 31));
      return sums(
        hists.flatMap(({ slots: filled }, cpu) => (cpu === 0 ? [histogram('all', filled)] : [])),
        histograms(
          waiting,
          () => 'all',
          (count) => count,
        ),
        samples.length,
      );
    },
  },
];
