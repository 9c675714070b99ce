import { countBy, offCpuSpans, queuedSpans } from '../journal-models.js';
import { events, MIXED, rows, sums, type Tool, totals, u32 } from '../tool.js';

export const schedTools: readonly Tool[] = [
  {
    name: 'cpudist',
    workload: MIXED,
    variables: { targ_offcpu: true, targ_per_thread: true, targ_tgid: -1 },
    without: ['sched_switch_tp'],
    maps: { start: { maxEntries: 4096 }, hists: { maxEntries: 4096 } },
    compares: 'times that each thread came back to a CPU',
    compare: (session) => {
      const spans = offCpuSpans(session.host.journal.entries());
      const seen = totals(session, 'hists', 36, u32).filter((text) => !text.startsWith('0: '));
      return sums(
        seen,
        countBy(spans, ({ pid }) => pid),
        spans.length,
      );
    },
  },
  {
    name: 'runqlat',
    workload: MIXED,
    variables: { targ_per_thread: true },
    without: ['handle_sched_wakeup', 'handle_sched_wakeup_new', 'handle_sched_switch'],
    compares: 'times that each thread waited for a CPU',
    compare: (session) => {
      const spans = queuedSpans(session.host.journal.entries());
      return sums(
        totals(session, 'hists', 26, u32),
        countBy(spans, ({ pid }) => pid),
        spans.length,
      );
    },
  },
  {
    name: 'runqslower',
    workload: MIXED,
    without: ['handle_sched_wakeup', 'handle_sched_wakeup_new', 'handle_sched_switch'],
    compares: 'thread and thread before it of each wait for a CPU',
    compare: (session) =>
      rows(
        events(session, { task: 16, prev_task: 16, delta_us: 'u64', pid: 'u32', prev_pid: 'u32' }).map(
          ({ pid, prev_pid: prev }) => [pid, prev],
        ),
        queuedSpans(session.host.journal.entries()).map(({ pid, prev }) => [pid, prev]),
      ),
  },
];
