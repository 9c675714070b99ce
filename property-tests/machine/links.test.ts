import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfProgType as T } from '../../src/base/index.js';
import type { Link } from '../../src/machine/index.js';
import { type AttachTarget, isBalanced } from '../../src/runtime/index.js';
import { FRAME, LEAF } from '../../test/support/text.js';
import { MachineFixture } from '../../test/machine/machine-fixture.js';

/** The hooks of the model: how to attach to each, and how to hit it. `frame` hits a kprobe and a kretprobe. */
const HOOKS: readonly { readonly target: AttachTarget; readonly type: number; readonly hitBy: string }[] = [
  {
    target: { kind: 'tracepoint', system: 'sched', name: 'sched_switch' },
    type: T.BPF_PROG_TYPE_TRACEPOINT,
    hitBy: 'switch',
  },
  {
    target: { kind: 'raw_tracepoint', name: 'sched_switch', writable: false },
    type: T.BPF_PROG_TYPE_RAW_TRACEPOINT,
    hitBy: 'switch',
  },
  { target: { kind: 'kprobe', symbol: 'frame', offset: 0 }, type: T.BPF_PROG_TYPE_KPROBE, hitBy: 'frame' },
  { target: { kind: 'kretprobe', symbol: 'frame', maxactive: 0 }, type: T.BPF_PROG_TYPE_KPROBE, hitBy: 'frame' },
  { target: { kind: 'perf_event' }, type: T.BPF_PROG_TYPE_PERF_EVENT, hitBy: 'sample' },
];

const change = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('attach' as const), hook: fc.nat({ max: HOOKS.length - 1 }) }) },
  fc.record({
    do: fc.constantFrom('detach' as const, 'pause' as const, 'resume' as const, 'update' as const),
    link: fc.nat({ max: 7 }),
  }),
);
type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;

const by = fc.constantFrom('switch', 'frame', 'sample');
const hit = fc.record({
  do: fc.constant('hit' as const),
  by,
  cpu: fc.nat({ max: 1 }),
  /** Made by the first program that runs, in the middle of its run. */
  inside: fc.option(change, { nil: undefined }),
});

/** A hit whose first program is itself interrupted by hits on the same CPU, one within the other. */
const nested = fc.record({ do: fc.constant('nested' as const), by: fc.array(by, { minLength: 2, maxLength: 4 }) });

interface Tracked {
  readonly link: Link;
  readonly hook: number;
  /** The tag of the program that is on it now. */
  tag: number;
  state: 'attached' | 'paused' | 'detached';
  /** Runs, of whatever program. */
  runs: number;
}

class Model {
  readonly fixture = new MachineFixture();
  readonly tracked: Tracked[] = [];
  readonly #byTag = new Map<number, Tracked>();
  #tags = 0;

  apply(step: Change): void {
    const { machine } = this.fixture;
    if (step.do === 'attach') {
      const { target, type } = HOOKS[step.hook];
      const tag = ++this.#tags;
      const program = this.fixture.program(tag, type);
      const one: Tracked = {
        link: machine.attach(program, target, { cookie: BigInt(tag) }),
        hook: step.hook,
        tag,
        state: 'attached',
        runs: 0,
      };
      program.release();
      this.tracked.push(one);
      this.#byTag.set(tag, one);
      return;
    }
    const one = this.tracked[step.link];
    if (one === undefined || one.state === 'detached') return;
    if (step.do === 'detach') {
      one.link.detach();
      one.state = 'detached';
    } else if (step.do === 'update') {
      one.tag = ++this.#tags;
      const program = this.fixture.program(one.tag, HOOKS[one.hook].type);
      one.link.update(program);
      program.release();
      this.#byTag.set(one.tag, one);
    } else {
      one.link[step.do]();
      one.state = step.do === 'pause' ? 'paused' : 'attached';
    }
  }

  hit(kind: string, cpu: number, inside: Change | undefined): void {
    const before = this.tracked.map(({ state, tag }) => ({ state, tag }));
    let pending = inside;
    this.fixture.onRun = () => {
      // Inside the run of the first program: what a handler that detaches itself or others does.
      const now = pending;
      pending = undefined;
      if (now !== undefined) this.apply(now);
    };
    this.#make(kind, cpu);
    this.fixture.onRun = () => undefined;
    const ran = this.count();
    this.tracked.forEach((one, i) => {
      const runs = ran.get(one) ?? 0;
      one.runs += runs;
      const was = before[i];
      const touched = was === undefined || was.state !== one.state || was.tag !== one.tag || this.#isTarget(inside, i);
      const expected = HOOKS[one.hook].hitBy === kind && one.state === 'attached' ? 1 : 0;
      if (!touched) expect([one.link.info.hook, runs]).toEqual([one.link.info.hook, expected]);
      else expect(runs).toBeLessThanOrEqual(2);
    });
  }

  /**
   * Every link sees every hit, and either runs or counts why it did not. What runs is the hook's to say: all but raw
   * tracepoints miss hits while a program runs.
   */
  nested(hits: readonly string[]): void {
    const before = this.tracked.map(({ link }) => link.ledgerRow());
    let depth = 0;
    const made = new Map<string, number>();
    const next = (): void => {
      const kind = hits[depth++];
      if (kind === undefined) return;
      made.set(kind, (made.get(kind) ?? 0) + 1);
      this.#make(kind, 0);
    };
    this.fixture.onRun = next;
    next();
    this.fixture.onRun = () => undefined;
    const ran = this.count();
    this.tracked.forEach((one, i) => {
      const row = one.link.ledgerRow();
      const was = before[i];
      const runs = ran.get(one) ?? 0;
      one.runs += runs;
      const kind = HOOKS[one.hook].hitBy;
      expect([row.name, row.seen - was.seen]).toEqual([row.name, one.state === 'attached' ? (made.get(kind) ?? 0) : 0]);
      expect(row.delivered - was.delivered).toBe(runs);
      expect(isBalanced(row)).toBe(true);
    });
  }

  #make(kind: string, cpu: number): void {
    const { host } = this.fixture;
    if (kind === 'switch') host.fire('sched_switch', [0n, 1n, 2n, 0n], cpu);
    else if (kind === 'frame') host.call('frame', cpu);
    else host.sample(cpu, host.enter('frame'));
  }

  finish(): void {
    const { machine, ring, host } = this.fixture;
    for (const one of this.tracked) {
      const row = one.link.ledgerRow();
      expect(isBalanced(row)).toBe(true);
      expect([row.name, row.delivered]).toEqual([row.name, one.runs]);
    }
    machine.finalLedgerRows().forEach((row) => expect(isBalanced(row)).toBe(true));
    machine.close();
    expect(this.fixture.text('frame', FRAME.length)).toEqual([...FRAME]);
    expect(this.fixture.text('leaf', LEAF.length)).toEqual([...LEAF]);
    expect(host.tracepoints.enabled).toEqual([false, false]);
    expect([host.samplersOn(0), host.samplersOn(1)]).toEqual([0, 0]);
    expect([...machine.runtime.programs]).toEqual([]);
    expect(machine.links).toEqual([]);
    ring.release();
  }

  count(): Map<Tracked, number> {
    const ran = new Map<Tracked, number>();
    for (const { tag } of this.fixture.emitted()) {
      const one = this.#byTag.get(tag);
      if (one === undefined) throw new Error(`nobody has tag ${tag}`);
      ran.set(one, (ran.get(one) ?? 0) + 1);
    }
    return ran;
  }

  #isTarget(inside: Change | undefined, index: number): boolean {
    return inside !== undefined && inside.do !== 'attach' && inside.link === index;
  }
}

describe('links', () => {
  it('run exactly for the hits they are there for, whatever is attached, paused, replaced and detached, also from inside a run', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(change, { weight: 3, arbitrary: hit }, nested), { maxLength: 50 }), (steps) => {
        const model = new Model();
        for (const step of steps) {
          if (step.do === 'hit') model.hit(step.by, step.cpu, step.inside);
          else if (step.do === 'nested') model.nested(step.by);
          else model.apply(step);
        }
        model.finish();
      }),
      { numRuns: 150 },
    );
  });

  it('leave no memory behind', () => {
    const fixture = new MachineFixture();
    const used = (): number => fixture.machine.runtime.memory.used;
    const round = (): void => {
      const links = HOOKS.map(({ target, type }, i) => {
        const program = fixture.program(i, type);
        const link = fixture.machine.attach(program, target);
        program.release();
        return link;
      });
      fixture.host.call('frame');
      fixture.host.sample(0, fixture.host.enter('frame'));
      for (const link of links) link.detach();
    };
    round();
    const after = used();
    for (let i = 0; i < 20; i++) round();
    expect(used()).toBe(after);
  });
});
