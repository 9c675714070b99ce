import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createInterpreter, createJit, disassemble } from '../../../src/runtime/index.js';
import { oraclesRequired } from '../../../test/oracle/describe-with.js';
import { LinuxOracle, linuxOracle } from '../../../test/oracle/linux.js';
import { KscopeWorld } from '../../../test/runtime/interp/generator/kscope-world.js';
import { LinuxWorld } from '../../../test/runtime/interp/generator/linux-world.js';
import { type World, worldOf } from '../../../test/runtime/interp/generator/world.js';
import { worldSeeds } from '../../../test/runtime/interp/generator/world-seeds.js';
import { comparable, type WorldOutcome } from '../../../test/runtime/interp/generator/world-outcome.js';

/** KSCOPE_DIFF_PROGRAMS=200000 is the full run; KSCOPE_DIFF_SEED repeats one. */
const PROGRAMS = Number(process.env['KSCOPE_DIFF_PROGRAMS'] ?? (process.env['CI'] === undefined ? 2000 : 10_000));
const SEED = Number(process.env['KSCOPE_DIFF_SEED'] ?? Date.now() & 0x7fff_ffff);

const linux = linuxOracle();
const kernel = linux instanceof LinuxOracle ? new LinuxWorld(linux) : undefined;
if (kernel === undefined) console.warn('generated worlds are not compared with Linux: there is no bpf(2) here');
const cpus = linux instanceof LinuxOracle ? linux.cpus : 2;

afterAll(async () => {
  await kernel?.close();
  if (linux instanceof LinuxOracle) linux.end();
});

describe('worlds of maps, rings, packets, callbacks and tail calls', () => {
  it(`${PROGRAMS} of them are left alike by both engines and Linux`, { timeout: 7_200_000 }, async () => {
    expect(kernel !== undefined || !oraclesRequired, 'bpf(2) is needed').toBe(true);
    process.stdout.write(`generated worlds: ${PROGRAMS}, KSCOPE_DIFF_SEED=${SEED}\n`);
    const interpreter = new KscopeWorld(createInterpreter(), { cpus });
    const compilers = [
      ['jit', new KscopeWorld(createJit(), { cpus })],
      ['jit, everything proved', new KscopeWorld(createJit({ assumeProved: true }), { cpus })],
      ['jit on shared memory', new KscopeWorld(createJit(), { cpus, shared: true })],
    ] as const;
    const sides = [interpreter, ...compilers.map(([, side]) => side)];
    const atFirst = sides.map((side) => side.memoryUsed);
    await fc.assert(
      fc.asyncProperty(worldSeeds, async (seed) => {
        const world = worldOf(seed);
        const expected = interpreter.run(world);
        const pending = kernel?.run(world, expected);
        // Requests leave in the next turn; then the kernel works beside the compilers.
        await new Promise((resolve) => setImmediate(resolve));
        const compiled = compilers.map(([name, side]) => [name, side.run(world)] as const);
        const linuxes = await pending;
        for (const [name, outcome] of compiled) same(world, outcome, expected, `${name} against the interpreter`);
        if (linuxes === undefined) return;
        const { subjects } = world;
        same(world, comparable(expected, subjects), comparable(linuxes, subjects), 'interpreter against Linux');
      }),
      { numRuns: PROGRAMS, seed: SEED },
    );
    expect(
      sides.map((side) => side.memoryUsed),
      'BPF memory after all of it',
    ).toEqual(atFirst);
  });
});

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
