import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createInterpreter, createJit, disassemble, type Engine } from '../../../src/runtime/index.js';
import { oraclesRequired } from '../../../test/oracle/describe-with.js';
import { LinuxOracle, linuxOracle } from '../../../test/oracle/linux.js';
import { KscopeWorld } from '../../../test/runtime/interp/generator/kscope-world.js';
import { LinuxWorld } from '../../../test/runtime/interp/generator/linux-world.js';
import { type World, worldOf } from '../../../test/runtime/interp/generator/world.js';
import { worldSeeds } from '../../../test/runtime/interp/generator/world-seeds.js';
import { comparable, type WorldOutcome } from '../../../test/runtime/interp/generator/world-outcome.js';

/** KSCOPE_DIFF_PROGRAMS=200000 is the full run; KSCOPE_DIFF_SEED repeats one. */
const WORLDS = Number(process.env['KSCOPE_DIFF_PROGRAMS'] ?? (oraclesRequired ? 10_000 : 1000));
const SEED = Number(process.env['KSCOPE_DIFF_SEED'] ?? Date.now() & 0x7fff_ffff);

const linux = linuxOracle();
const kernel = linux instanceof LinuxOracle ? new LinuxWorld(linux) : undefined;
if (kernel === undefined) console.warn('generated worlds are not compared with Linux: there is no bpf(2) here');
const cpus = linux instanceof LinuxOracle ? linux.cpus : 2;

afterAll(async () => {
  await kernel?.close();
  if (linux instanceof LinuxOracle) linux.end();
});

/** What a world is run by besides Linux. The two get the same worlds: ids of maps, and with them orders of keys, agree. */
class Pair {
  readonly interpreter = new KscopeWorld(createInterpreter(), { cpus });
  readonly compiler: KscopeWorld;
  worlds = 0;

  constructor(engine: Engine, shared = false) {
    this.compiler = new KscopeWorld(engine, { cpus, shared });
  }

  get memoryUsed(): readonly number[] {
    return [this.interpreter.memoryUsed, this.compiler.memoryUsed];
  }
}

describe('worlds of two programs, maps, rings, packets, callbacks and tail calls', () => {
  it(`${WORLDS} of them are left alike by both engines and Linux`, { timeout: 7_200_000 }, async () => {
    expect(kernel !== undefined || !oraclesRequired, 'bpf(2) is needed').toBe(true);
    process.stdout.write(`generated worlds: ${WORLDS}, KSCOPE_DIFF_SEED=${SEED}\n`);
    const pairs = {
      jit: new Pair(createJit()),
      'jit, everything proved': new Pair(createJit({ assumeProved: true })),
      'jit on shared memory': new Pair(createJit(), true),
    };
    const used = (): readonly (readonly number[])[] => Object.values(pairs).map(({ memoryUsed }) => memoryUsed);
    const atFirst = used();
    await fc.assert(
      fc.asyncProperty(worldSeeds, fc.constantFrom(...keysOf(pairs)), async (seed, way) => {
        const pair = pairs[way];
        const world = worldOf(seed);
        const expected = pair.interpreter.run(world);
        const pending = kernel?.run(world, expected);
        // Requests leave in the next turn; then the kernel works beside the compiler.
        await new Promise((resolve) => setImmediate(resolve));
        const compiled = pair.compiler.run(world);
        const linuxes = await pending;
        pair.worlds++;
        same(world, compiled, expected, `${way} against the interpreter`);
        if (linuxes === undefined) return;
        const { subjects } = world;
        same(world, comparable(expected, subjects), comparable(linuxes, subjects), 'interpreter against Linux');
      }),
      { numRuns: WORLDS, seed: SEED },
    );
    const counts = keysOf(pairs).map((way) => `${way}: ${pairs[way].worlds}`);
    process.stdout.write(`no difference${kernel === undefined ? ', without Linux' : ''} in ${counts.join('; ')}\n`);
    expect(used(), 'BPF memory after all of it').toEqual(atFirst);
  });
});

function keysOf<K extends string>(object: Readonly<Record<K, unknown>>): K[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the type
  return Object.keys(object) as K[];
}

function same(world: World, actual: WorldOutcome, expected: WorldOutcome, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual, `${what}\n${listing(world)}`).toEqual(expected);
}

function listing({ main, target, subjects }: World): string {
  const text = (insns: World['main']['insns']): string =>
    disassemble(insns)
      .map(({ index, text: line }) => `${index}: ${line}`)
      .join('\n');
  const maps = subjects.map(({ spec }) => `type ${spec.type}, keys of ${spec.keySize}, flags ${spec.flags}`);
  return `${maps.join('; ')}\n${text(main.insns)}\n--\n${text(target.insns)}`;
}
