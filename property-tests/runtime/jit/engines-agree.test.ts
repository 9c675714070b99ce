import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfMapType } from '../../../src/base/index.js';
import { createInterpreter, createJit, disassemble, type Engine } from '../../../src/runtime/index.js';
import { generate } from '../../../test/runtime/interp/generator/program-generator.js';
import { programSeeds } from '../../../test/runtime/interp/generator/program-seeds.js';
import { KscopeRunner } from '../../../test/runtime/interp/generator/runners.js';
import { MAX_OPERATIONS, mapProgram, programOperations } from '../map/map-program.js';
import { EngineMaps } from './engine-maps.js';

/** KSCOPE_JIT_PROGRAMS=200000 is the full run. */
const PROGRAMS = Number(process.env['KSCOPE_JIT_PROGRAMS'] ?? 3000);
const MAP_RUNS = Number(process.env['KSCOPE_MAP_RUNS'] ?? 60);

const engines: readonly (readonly [string, () => Engine])[] = [
  ['with checks', () => createJit()],
  ['with everything declared proved', () => createJit({ assumeProved: true })],
];

describe.each(engines)('compiled programs %s', (_name, engine) => {
  it('leave what the interpreter leaves: registers, packet and map bytes', { timeout: 3_600_000 }, () => {
    const expected = new KscopeRunner(createInterpreter());
    const actual = new KscopeRunner(engine());
    fc.assert(
      fc.property(programSeeds, (seed) => {
        const program = generate(seed, 0);
        const listing = (): string =>
          disassemble(program.insns)
            .map(({ index, text }) => `${index}: ${text}`)
            .join('\n');
        const [one, other] = [actual.run(program), expected.run(program)];
        if (!Buffer.from(one.value).equals(Buffer.from(other.value))) expect(one, listing()).toEqual(other);
        expect(one.retval).toBe(other.retval);
        expect(Buffer.from(one.packet).equals(Buffer.from(other.packet))).toBe(true);
      }),
      { numRuns: PROGRAMS },
    );
  });
});

const {
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_PERCPU_ARRAY,
} = BpfMapType;
const ZERO_SEED = 64;

describe('compiled programs find in maps what interpreted ones find', () => {
  it.each([
    ['hash', BPF_MAP_TYPE_HASH, 0],
    ['hash in the order of Linux', BPF_MAP_TYPE_HASH, ZERO_SEED],
    ['percpu_hash', BPF_MAP_TYPE_PERCPU_HASH, 0],
    ['lru_hash', BPF_MAP_TYPE_LRU_HASH, 0],
    ['array', BPF_MAP_TYPE_ARRAY, 0],
    ['percpu_array', BPF_MAP_TYPE_PERCPU_ARRAY, 0],
  ] as const)('%s', (_name, type, flags) => {
    const scenario = fc.record({
      maxEntries: fc.constantFrom(1, 2, 4, 7, 16),
      programs: fc.array(programOperations(12), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(scenario, ({ maxEntries, programs }) => {
        const sides = [createInterpreter(), createJit()].map(
          (engine) => new EngineMaps(engine, { type, flags, maxEntries }, 8 * MAX_OPERATIONS),
        );
        for (const operations of programs) {
          const [interpreted, compiled] = sides.map((side) => side.run(mapProgram(operations)));
          expect(compiled).toEqual(interpreted);
        }
      }),
      { numRuns: MAP_RUNS },
    );
  });
});
