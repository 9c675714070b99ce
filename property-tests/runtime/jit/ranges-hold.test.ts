import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfError, BpfMapType, BpfProgType } from '../../../src/base/index.js';
import { BpfRuntime, createInterpreter, createJit, type Engine } from '../../../src/runtime/index.js';
import { assemble } from '../../../src/runtime/isa/index.js';
import { TestHost } from '../../../test/support/test-host.js';
import { Claims } from './claims.js';
import { engineOf, observingEngine } from './observed-runs.js';
import { PACKET_SIZE, pointerProgram, pointerPrograms, VALUE_SIZE } from './pointer-programs.js';

const PROGRAMS = Number(process.env['KSCOPE_RANGE_PROGRAMS'] ?? 300);
const KEY = new Uint8Array(4);
const packet = Uint8Array.from({ length: PACKET_SIZE }, (_, i) => (i * 37) & 0xff);
/** Numbers of all sizes, some small enough to index with. */
const value = Uint8Array.from({ length: VALUE_SIZE }, (_, i) => (i % 8 < (i >> 3) % 5 ? (i * 73) & 0xff : 0));

/** Runs programs on one map of one value and answers all that they leave. */
class Runner {
  readonly #runtime: BpfRuntime;
  readonly #map;

  constructor(engine: Engine) {
    this.#runtime = new BpfRuntime(new TestHost({ cpus: 1 }), { engine, instructionBudget: 1_000_000 });
    this.#map = this.#runtime.createMap({
      name: 'value',
      type: BpfMapType.BPF_MAP_TYPE_ARRAY,
      keySize: 4,
      valueSize: VALUE_SIZE,
      maxEntries: 1,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
    });
  }

  run(text: string): Record<string, unknown> {
    this.#map.sysUpdate(KEY, value);
    const program = this.#runtime.loadProgram({
      name: 'pointers',
      type: BpfProgType.BPF_PROG_TYPE_XDP,
      expectedAttachType: 0,
      license: 'GPL',
      insns: assemble(text),
      maps: [this.#map],
    });
    try {
      const { retval, dataOut } = this.#runtime.testRun(program, { dataIn: packet });
      return { retval, packet: hex(dataOut), value: hex(this.#map.sysLookup(KEY)) };
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      // Engines stop endless runs within one round of each other.
      if (error.message.includes('budget')) return { fault: 'endless' };
      return { fault: error.message, value: hex(this.#map.sysLookup(KEY)) };
    } finally {
      program.release();
    }
  }
}

function hex(bytes: Uint8Array | number): string {
  return typeof bytes === 'number' ? String(bytes) : Buffer.from(bytes).toString('hex');
}

/** Both engines make what they need of each program, so that the addresses that programs see are the same. */
function bothEngines(which: 'interp' | 'jit'): Engine {
  return engineOf(which, (executable, runtime) => {
    const programs = [createInterpreter(), createJit()].map((engine) => engine.instantiate(executable, runtime));
    return {
      run: (run, ctx, r2) => programs[which === 'interp' ? 0 : 1].run(run, ctx, r2),
      dispose: () => programs.forEach((program) => program.dispose()),
    };
  });
}

describe('programs that compute with pointers', () => {
  it.each([
    ['', undefined],
    [' given up half-way', 150],
  ])('never hold what the analysis%s excludes', { timeout: 3_600_000 }, (_name, effort) => {
    const total = { proved: 0, unproved: 0 };
    let refuted: string | undefined;
    const runner = new Runner(
      observingEngine((executable, code) => {
        const claims = new Claims(executable, code, effort);
        total.proved += claims.proved;
        total.unproved += claims.unproved;
        return (index, moment) => {
          const wrong = refuted === undefined ? claims.refute(index, moment) : undefined;
          if (wrong !== undefined) refuted = `instruction ${code.slots[index]}: ${wrong}`;
        };
      }),
    );
    fc.assert(
      fc.property(pointerPrograms, (seeds) => {
        const text = pointerProgram(seeds);
        refuted = undefined;
        runner.run(text);
        if (refuted !== undefined) expect.fail(`${String(refuted)}\n${text}`);
      }),
      { numRuns: PROGRAMS },
    );
    // An analysis that knows nothing would pass as well.
    expect(total.proved).toBeGreaterThan(total.unproved);
  });

  it('do the same compiled as interpreted', { timeout: 3_600_000 }, () => {
    const [interpreted, compiled] = [new Runner(bothEngines('interp')), new Runner(bothEngines('jit'))];
    fc.assert(
      fc.property(pointerPrograms, (seeds) => {
        const text = pointerProgram(seeds);
        expect(compiled.run(text), text).toEqual(interpreted.run(text));
      }),
      { numRuns: PROGRAMS },
    );
  });
});
