import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSim } from '../../../src/host/sim/index.js';
import { type EventGrammar, parseGrammars, refusal } from '../../support/event-grammar.js';
import { type Sequences, sequencesOf, TRACED, type TracedEvent } from '../../support/event-sequences.js';
import { runToEnd } from './kernel-machine.js';
import { startTracing } from './sim-fixture.js';

/** Mined from the trace of a Debian guest by test/guest/trace-events.test.ts. */
const grammars = parseGrammars(readFileSync(new URL('../../testdata/sim/linux-orders.txt', import.meta.url), 'utf8'));
const ESTABLISHED = 1;
const WORKLOADS = ['mixed', 'web', 'io'];

function traceOf(workload: string): TracedEvent[] {
  const host = createSim({ workload, seed: 12, cpus: 3 });
  const names = new Set(
    TRACED.flatMap((event) => (event === 'raw_syscalls' ? ['sys_enter', 'sys_exit'] : [event.replace(/.*\//, '')])),
  );
  const events: TracedEvent[] = [];
  const offered = host.tracepoints.list.map(({ name }) => name).filter((name) => names.has(name));
  startTracing(host, offered, (hit) => {
    const address = (BigInt(hit.args[1] >>> 0) << 32n) | BigInt(hit.args[0] >>> 0);
    events.push({
      name: hit.name,
      pid: hit.pid,
      fields: hit.name === 'inet_sock_set_state' ? { ...hit.fields, skaddr: address.toString(16) } : hit.fields,
    });
  });
  expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
  return events;
}

const refusals = (grammar: EventGrammar, sequences: readonly (readonly string[])[]): string[] => [
  ...new Set(sequences.map((sequence) => refusal(grammar, sequence)).filter((why) => why !== null)),
];

describe('events come in the orders of Linux', () => {
  const traces = new Map<string, TracedEvent[]>();
  const all: Sequences = new Map();

  beforeAll(() => {
    for (const workload of WORKLOADS) {
      traces.set(workload, traceOf(workload));
      for (const [name, sequences] of sequencesOf(traces.get(workload) ?? [])) {
        all.set(name, [...(all.get(name) ?? []), ...sequences]);
      }
    }
  }, 60_000);

  it.each([...grammars])('%s', (name, grammar) => {
    expect(all.get(name)?.length).toBeGreaterThan(10);
    expect(refusals(grammar, all.get(name) ?? [])).toEqual([]);
  });

  /** Puts an event ahead of one of the same thing that came before it: field `of` of the one is `as` of the other. */
  function moveAhead(events: readonly TracedEvent[], name: string, before: string, of: string, as = of): TracedEvent[] {
    const to = events.findIndex(
      (event) =>
        event.name === before && events.some((other) => other.name === name && other.fields[of] === event.fields[as]),
    );
    const from = events.findIndex(
      (event, i) => i > to && event.name === name && event.fields[of] === events[to].fields[as],
    );
    const moved = [...events];
    moved.splice(to, 0, ...moved.splice(from, 1));
    return moved;
  }

  const without = (events: readonly TracedEvent[], name: string): TracedEvent[] => {
    const at = events.findIndex((event) => event.name === name);
    return events.filter((_, i) => i !== at);
  };

  const planted: readonly (readonly [
    what: string,
    grammar: string,
    plant: (events: TracedEvent[]) => TracedEvent[],
  ])[] = [
    [
      'a child that runs before it is woken',
      'fork',
      (events) => moveAhead(events, 'sched_switch', 'sched_wakeup_new', 'next_pid', 'pid'),
    ],
    ['a child that nobody woke', 'fork', (events) => without(events, 'sched_wakeup_new')],
    [
      'a fork before there is a task',
      'fork',
      (events) => moveAhead(events, 'sched_wakeup_new', 'sched_process_fork', 'pid', 'child_pid'),
    ],
    [
      'an exec that is told before the name changes',
      'exec',
      (events) => events.filter(({ name }) => name !== 'task_rename'),
    ],
    [
      'a page read that the cache never got',
      'read',
      (events) => events.filter(({ name }) => name !== 'mm_filemap_add_to_page_cache'),
    ],
    [
      'a request complete before it was issued',
      'block',
      (events) => moveAhead(events, 'block_rq_complete', 'block_rq_issue', 'sector'),
    ],
    ['a request that was never inserted', 'block', (events) => without(events, 'block_rq_insert')],
    [
      'a connection that closes before it is established',
      'connect',
      (events) =>
        events.filter(({ name, fields }) => name !== 'inet_sock_set_state' || fields['newstate'] !== ESTABLISHED),
    ],
    [
      'a sleeper that runs though nobody woke it',
      'sleep',
      (events) => events.filter(({ name }) => name !== 'sched_waking' && name !== 'sched_wakeup'),
    ],
  ];

  it.each(planted)('but not %s', (_, name, plant) => {
    const grammar = grammars.get(name);
    if (grammar === undefined) throw new Error(`no grammar ${name}`);
    const sequences = sequencesOf(plant([...(traces.get('mixed') ?? [])])).get(name) ?? [];
    expect(refusals(grammar, sequences)).not.toEqual([]);
  });
});
