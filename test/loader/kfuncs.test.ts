import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BpfProgType } from '../../src/base/index.js';
import { typesAreCompatible } from '../../src/btf/index.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { BpfRuntime, kfuncTable, kfuncTypes } from '../../src/runtime/index.js';
import { liveBtf, LiveProgram } from '../oracle/live-program.js';
import { describeWithLinux } from '../oracle/linux.js';
import { sides } from '../runtime/side-by-side.js';
import { TestHost } from '../support/test-host.js';

const object = (name: string): CollectionSpec =>
  CollectionSpec.parse(readFileSync(new URL(`../testdata/hook-objects/${name}.bpf.o`, import.meta.url)));
const RESULTS = 64;

/** What the programs of kfuncs.bpf.c noted. */
function notes(bss: Uint8Array): bigint[] {
  const view = new DataView(bss.buffer, bss.byteOffset, bss.byteLength);
  return Array.from({ length: RESULTS }, (_, i) => view.getBigInt64(8 * i, true));
}

function runHere(name: string, engine: (typeof sides)[number][1]): bigint[] {
  const runtime = new BpfRuntime(new TestHost({ cpus: 1 }), { engine: engine() });
  const collection = Collection.load(object('kfuncs'), runtime, { programs: [name] });
  const program = collection.programs.get(name)?.program;
  if (program === undefined) throw new Error(`no program ${name}`);
  const isPacket = program.type === BpfProgType.BPF_PROG_TYPE_XDP;
  runtime.testRun(program, isPacket ? { dataIn: new Uint8Array(64) } : { ctxIn: new Uint8Array(64) });
  const bss = collection.maps.get('.bss')?.sysLookup(new Uint8Array(4));
  if (bss === undefined || typeof bss === 'number') throw new Error('no results');
  collection.close();
  return notes(bss);
}

const calls = ['numbers', 'set_bits', 'strings', 'sections', 'absent_task'];

describe.each(sides)('kernel functions, %s', (_name, engine) => {
  it('iterate over numbers', () => {
    const [ok, sum, rounds, ...rest] = runHere('numbers', engine);
    expect([ok, sum, rounds]).toEqual([0n, 45n, 10n]);
    expect(rest.slice(0, 3)).toEqual([0n, -5n, 10n]);
    expect(rest.slice(6, 12)).toEqual([-22n, 0n, 0n, -7n, 0n, 0n]);
  });

  it('tell a weak one that there is not', () => {
    expect(runHere('sections', engine).slice(0, 4)).toEqual([1n, 2n, 0n, 1n]);
  });

  it.each([
    ['next_of_nothing', /^bpf_iter_num_next: argument 1 must be an initialized iterator \(bpf_iter_num\), got 0x/],
    ['new_twice', /^bpf_iter_num_new: argument 1 must be room on the stack for an iterator \(bpf_iter_num\), got/],
  ])('%s: the run stops', (name, reason) => {
    expect(() => runHere(name, engine)).toThrow(
      expect.objectContaining({
        code: 'EFAULT',
        cause: expect.objectContaining({ reason: expect.stringMatching(reason) }),
      }),
    );
  });

  it('a type that may not call one is told when it does', () => {
    expect(() => runHere('of_the_wrong_type', engine)).toThrow(
      /calling kernel function bpf_task_from_pid is not allowed/,
    );
  });

  it('one that may sleep is for programs that may', () => {
    expect(() => runHere('cannot_sleep', engine)).toThrow(
      /program must be sleepable to call sleepable kfunc bpf_copy_from_user_str/,
    );
  });
});

describe('an object that wants a kernel function', () => {
  const load = (name: string): Collection =>
    Collection.load(object('missing-kfunc'), new BpfRuntime(new TestHost({ cpus: 1 })), { programs: [name] });

  it('which the host does not have', () => {
    expect(() => load('missing')).toThrow(
      expect.objectContaining({ code: 'ESRCH', message: expect.stringContaining('bpf_kernel_has_no_such') }),
    );
  });

  it('of another type', () => {
    expect(() => load('of_another_type')).toThrow(
      expect.objectContaining({ code: 'EINVAL', message: expect.stringContaining('bpf_strlen is of another type') }),
    );
  });
});

describeWithLinux('kernel functions, live', (linux) => {
  it('have the prototypes of the kernel', () => {
    const live = liveBtf();
    const own = kfuncTypes(kfuncTable, null);
    for (const { name } of kfuncTable.values()) {
      const [ours, theirs] = [own.findByName(name, 'func'), live.findByName(name, 'func')];
      expect(theirs, name).toBeDefined();
      if (ours === undefined || theirs === undefined) continue;
      expect(typesAreCompatible(own, ours.type, live, theirs.type), name).toBe(true);
    }
  });

  it.each(calls)('%s: the kernel notes what we note', async (name) => {
    const live = await LiveProgram.open(linux, object('kfuncs'), name);
    expect(live.load.result, live.load.log).toBe(0);
    await live.run();
    const theirs = notes(await live.value('.bss', 8 * RESULTS + 8));
    await live.close();
    for (const [side, engine] of sides) expect(runHere(name, engine), side).toEqual(theirs);
  });

  it.each(['next_of_nothing', 'new_twice', 'of_the_wrong_type'])('%s: the kernel refuses it', async (name) => {
    const live = await LiveProgram.open(linux, object('kfuncs'), name);
    expect(live.load.result).toBeLessThan(0);
    await live.close();
  });
});
