import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import type { Watch } from '../execution.js';
import { decode, slots } from '../layout.js';
import { histogram, histograms, IO, MIXED, slotOf, sums, type Tool, WEB } from '../tool.js';
import type { ToolSession } from '../tool-session.js';

const INTERRUPT_NAMES: Watch = { symbol: 'request_irq', enter: (look) => look.text(look.argument(2)) };

interface Duration {
  readonly what: bigint;
  readonly ns: bigint;
}

/** From the entry of an interrupt or softirq on a CPU to its end. */
function durations(
  session: ToolSession,
  [enter, entered]: readonly [number, string],
  [exit, left]: readonly [number, string],
): Duration[] {
  const begins = session.passes(enter, entered);
  const ends = session.passes(exit, left, 'tracepoint');
  const since: bigint[] = [];
  return session.story(({ index, cpu, a }) => {
    const begin = begins.get(index);
    if (begin !== undefined) since[cpu] = begin.time;
    const end = ends.get(index);
    return end === undefined ? [] : [{ what: a, ns: end.time - (since[cpu] ?? 0n) }];
  });
}

export const interruptTools: readonly Tool[] = [
  {
    name: 'hardirqs',
    workload: IO,
    variables: { targ_dist: true, targ_ns: true },
    without: ['irq_handler_entry', 'irq_handler_exit'],
    watches: [INTERRUPT_NAMES],
    compares: 'name and histogram of nanoseconds of each interrupt',
    compare: (session) => {
      const names = new Map(session.execution.callsOf('request_irq').map(({ args, seen }) => [args[0], String(seen)]));
      const spent = durations(session, [Kind.IRQ_ENTER, 'irq_handler_entry'], [Kind.IRQ_EXIT, 'irq_handler_exit']);
      return sums(
        session.elements('infos').map(({ key, value }) => {
          const { count } = decode({ count: 'u64' }, value);
          return histogram(`${decode({ name: 32 }, key).name} ${count}`, slots(value, 20, 8));
        }),
        histograms(
          spent,
          ({ what }) => `${names.get(what)} 0`,
          ({ ns }) => slotOf(ns, 20),
        ),
        spent.length,
      );
    },
  },
  {
    name: 'softirqs',
    workload: WEB,
    variables: { targ_dist: true, targ_ns: true },
    without: ['softirq_entry', 'softirq_exit'],
    compares: 'histogram of nanoseconds of each vector',
    compare: (session) => {
      const spent = durations(session, [Kind.SOFTIRQ_ENTER, 'softirq_entry'], [Kind.SOFTIRQ_EXIT, 'softirq_exit']);
      const hists = session.variable('hists') as unknown as readonly { slots: readonly number[] }[];
      return sums(
        hists.map(({ slots: filled }, vector) => histogram(`${vector}`, filled)).filter((text) => !text.endsWith(': ')),
        histograms(
          spent,
          ({ what }) => `${what}`,
          ({ ns }) => slotOf(ns, 20),
        ),
        spent.length,
      );
    },
  },
  {
    name: 'funclatency',
    workload: MIXED,
    targets: {
      dummy_kprobe: { kind: 'kprobe', symbol: 'vfs_read', offset: 0 },
      dummy_kretprobe: { kind: 'kretprobe', symbol: 'vfs_read', maxactive: 0 },
    },
    watches: [{ symbol: 'vfs_read' }],
    compares: 'histogram of nanoseconds of vfs_read',
    compare: (session) => {
      const calls = session.execution.returnsOf('vfs_read');
      return sums(
        [histogram('ns', session.variable('hist') as unknown as readonly number[])],
        histograms(
          calls,
          () => 'ns',
          ({ entered, left }) => slotOf(left - entered, 25),
        ),
        calls.length,
      );
    },
  },
];
