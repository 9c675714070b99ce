import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfError } from '../../../src/base/index.js';
import { createInterpreter, describeJit, formatWat, type JitModule } from '../../../src/runtime/index.js';
import { readCode } from '../../../src/runtime/jit/wasm/code-reader.js';
import { readModule } from '../../../src/runtime/jit/wasm/module-reader.js';
import { describeWith } from '../../../test/oracle/describe-with.js';
import { wat2wasm } from '../../../test/oracle/wabt.js';
import { generate, type ProgramSeed } from '../../../test/runtime/interp/generator/program-generator.js';
import { programSeeds } from '../../../test/runtime/interp/generator/program-seeds.js';
import { fixture } from '../../../test/runtime/interp/support.js';

const { array, load, runtime } = fixture({ engine: createInterpreter() });
const map = array(4096);

function compiled(seed: ProgramSeed): JitModule {
  const { type, insns } = generate(seed, 0);
  return describeJit([load([insns], { type, maps: [map] }).executable], runtime);
}

describeWith('any compiled module, printed and assembled by wabt,', wat2wasm(), ({ assemble }) => {
  it('is the same bytes', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(programSeeds, (seed) => {
        const module = compiled(seed);
        expect(Buffer.from(assemble(formatWat(module).join('\n'))).equals(Buffer.from(module.bytes))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a module with some bytes changed', () => {
  it('is read or refused with a BpfError that names the place', { timeout: 600_000 }, () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(programSeeds, fc.array(change, { minLength: 1, maxLength: 4 }), (seed, changes) => {
        const bytes = compiled(seed).bytes.slice();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        expect(() => {
          try {
            const module = readModule(bytes);
            for (const body of module.functions) readCode(module, body);
          } catch (error) {
            if (!(error instanceof BpfError && error.detail.offset !== undefined)) throw error;
          }
        }).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });
});
