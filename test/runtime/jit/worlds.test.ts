import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInterpreter, createJit } from '../../../src/runtime/index.js';
import { readGolden, recording, writeGolden } from '../../oracle/golden.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { KscopeWorld } from '../interp/generator/kscope-world.js';
import { LinuxWorld } from '../interp/generator/linux-world.js';
import { comparable } from '../interp/generator/world-outcome.js';
import { formatRecordedWorld, parseRecordedWorld } from '../interp/generator/recorded-world.js';
import { worldOf } from '../interp/generator/world.js';
import { worldSeeds } from '../interp/generator/world-seeds.js';

/** Generated worlds with the kernel's outcomes, made by KSCOPE_RECORD=1. */
const goldenPath = new URL('../../testdata/runtime/jit/worlds.txt', import.meta.url);
const RECORDED_WORLDS = 40;
const RECORDED_SEED = 2026;
/** Of the machine on which they were recorded: values of per-CPU maps have as many parts. */
const RECORDED_CPUS = 2;

const corpus = recording() ? [] : readGolden(goldenPath).lines.map(parseRecordedWorld);

describe.skipIf(recording())('recorded worlds', () => {
  it.each([
    ['interp', () => new KscopeWorld(createInterpreter(), { cpus: RECORDED_CPUS })],
    ['interp on shared memory', () => new KscopeWorld(createInterpreter(), { cpus: RECORDED_CPUS, shared: true })],
    ['jit', () => new KscopeWorld(createJit(), { cpus: RECORDED_CPUS })],
    ['jit, everything proved', () => new KscopeWorld(createJit({ assumeProved: true }), { cpus: RECORDED_CPUS })],
    ['jit on shared memory', () => new KscopeWorld(createJit(), { cpus: RECORDED_CPUS, shared: true })],
  ])('%s leaves what the kernel left', (_name, create) => {
    const side = create();
    for (const { world, outcome } of corpus) {
      expect(comparable(side.run(world), world.subjects)).toEqual(comparable(outcome, world.subjects));
    }
  });
});

describeWithLinux('recorded worlds', (linux) => {
  it('are what the kernel that runs here answers', async () => {
    const kernel = new LinuxWorld(linux);
    const interpreter = new KscopeWorld(createInterpreter(), { cpus: linux.cpus });
    if (recording()) {
      const worlds = fc.sample(worldSeeds, { numRuns: RECORDED_WORLDS, seed: RECORDED_SEED }).map(worldOf);
      const lines: string[] = [];
      for (const world of worlds) {
        lines.push(formatRecordedWorld({ world, outcome: await kernel.run(world, interpreter.run(world)) }));
      }
      writeGolden(goldenPath, { release: linux.release, lines });
    }
    for (const { world, outcome } of readGolden(goldenPath).lines.map(parseRecordedWorld)) {
      const now = await kernel.run(world, interpreter.run(world));
      if (linux.cpus === RECORDED_CPUS)
        expect(comparable(now, world.subjects)).toEqual(comparable(outcome, world.subjects));
    }
    await kernel.close();
  });
});
