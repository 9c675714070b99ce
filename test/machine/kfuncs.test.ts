import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSim, JournalKind, type SimHost, type SimOptions } from '../../src/host/sim/index.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { Machine } from '../../src/machine/index.js';
import { createInterpreter, createJit, type Engine, type ProgramFault } from '../../src/runtime/index.js';

const OBJECT = new URL('../testdata/hook-objects/kfuncs.bpf.o', import.meta.url);
const sides: readonly (readonly [string, () => Engine])[] = [
  ['interpreted', createInterpreter],
  ['compiled', () => createJit()],
];

/** A simulated machine with one program of kfuncs.bpf.c, run for a while, or to the end of the workload. */
class Run {
  readonly host: SimHost;
  readonly machine: Machine;
  readonly faults: ProgramFault[] = [];
  readonly #collection: Collection;

  constructor(program: string, engine: Engine, { ns = 6_000_000, ...options }: SimOptions & { ns?: number } = {}) {
    this.host = createSim({ workload: 'mixed', seed: 21, ...options });
    this.machine = new Machine(this.host, { engine, onFault: (fault) => this.faults.push(fault) });
    this.#collection = Collection.load(CollectionSpec.parse(readFileSync(OBJECT)), this.machine.runtime, {
      programs: [program],
    });
    for (const { program: loaded, attach } of this.#collection.programs.values()) this.machine.attach(loaded, attach);
    this.run(ns);
  }

  run(ns: number): void {
    this.host.run({ ns });
    if (this.host.oops !== null) throw new Error(this.host.oops.message);
  }

  get notes(): bigint[] {
    const bytes = this.#collection.maps.get('.bss')?.sysLookup(new Uint8Array(4));
    if (bytes === undefined || typeof bytes === 'number') throw new Error('no results');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: view.getUint32(512, true) }, (_, i) => view.getBigInt64(8 * i, true));
  }

  /** Threads that the journal knows to live at the last switch, when a walk last noted them: not yet ended, or not yet waited for. */
  living(): bigint[] {
    const alive = new Set([1n]);
    const entries = [...this.host.journal.entries()];
    const last = entries.findLastIndex(({ kind }) => kind === JournalKind.SWITCH);
    for (const { kind, a, b } of entries.slice(0, last)) {
      if (kind === JournalKind.FORK) alive.add(b & 0xffff_ffffn);
      if (kind === JournalKind.REAP) alive.delete(b);
      if (kind === JournalKind.EXIT && a >> 32n !== (a & 0xffff_ffffn)) alive.delete(a & 0xffff_ffffn);
    }
    return [...alive].toSorted(byValue);
  }
}

/** Processes of several threads. */
const THREADS = 'workers 5 30\nworkers 3 30';
const SLICE = 200_000;
/** Whether what walk_threads noted is a thread that its process began. */
const isThread = (note: bigint): boolean => note >> 32n !== (note & 0xffff_ffffn);
const byValue = (a: bigint, b: bigint): number => Number(a - b);

describe.each(sides)('kernel functions on the simulator, %s', (_name, engine) => {
  it('find a task by its id, and keep it', () => {
    const run = new Run('find_task', engine());
    expect(run.notes).toEqual([1n, 1n, 1n]);
    expect(run.faults).toEqual([]);
  });

  it('walk all processes and all threads, the idle task first', () => {
    const threads = new Run('walk_threads', engine(), { script: THREADS, ns: SLICE });
    let ns = SLICE;
    for (; ns < 40_000_000 && !threads.notes.some(isThread); ns += SLICE) threads.run(SLICE);
    const processes = new Run('walk_tasks', engine(), { script: THREADS, ns }).notes;
    const ids = threads.notes.map((note) => note & 0xffff_ffffn);
    expect([processes[0], ids[0]]).toEqual([0n, 0n]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted(byValue)).toEqual(expect.arrayContaining(threads.living()));
    expect(processes).toEqual(threads.notes.filter((note) => !isThread(note)).map((note) => note >> 32n));
    expect(processes.length).toBeGreaterThan(3);
    expect(ids.length).toBeGreaterThan(processes.length);
  });

  it('refuse flags that there are not, and walk from a thread on', () => {
    const run = new Run('wrong_flags', engine());
    expect(run.notes).toEqual([-22n, 1n, -22n, 0n, 1n]);
  });

  it('cast', () => expect(new Run('cast_context', engine()).notes).toEqual([1n, 1n]));

  it.each([
    [
      'release_what_is_not_ours',
      /^bpf_task_release: argument 1 must be a pointer that the run has acquired, got 0xffff/,
    ],
    ['acquire_null', /^bpf_task_acquire: argument 1 must be a pointer of the host that is not NULL, got 0x0/],
    ['of_the_wrong_type', /^calling kernel function bpf_task_from_pid is not allowed$/],
  ])('%s: each run stops, and the machine goes on', (program, reason) => {
    const run = new Run(program, engine());
    expect(run.faults.length).toBeGreaterThan(3);
    for (const fault of run.faults) expect(fault.reason).toMatch(reason);
  });

  it('tell the runs of a session apart, and keep a cookie between them', () => {
    const run = new Run('session', engine(), { ns: Infinity });
    expect(run.faults).toEqual([]);
    const entries = run.notes.filter((note) => note < 0n);
    const returns = run.notes.filter((note) => note >= 0n);
    expect(entries.length).toBeGreaterThan(10);
    // Each entry finds its cookie empty, whoever had the bytes before.
    for (const note of entries) expect(note).toBe(-1n);
    const readers = [...run.host.journal.entries(JournalKind.READ)].map(({ a }) => a);
    expect(readers).toEqual(expect.arrayContaining(returns));
  });
});
