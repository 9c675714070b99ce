import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfMapType, BpfProgType } from '../../../src/base/index.js';
import {
  BpfRuntime,
  createInterpreter,
  createJit,
  type Engine,
  type Insn,
  RingBufferConsumer,
  RingBufferMap,
  RingLayout,
} from '../../../src/runtime/index.js';
import { TestHost } from '../../../test/support/test-host.js';
import { MAX_OPERATIONS, RING_SIZE, ringPhases, ringProgram, SOURCE_SIZE } from '../ring/ring-program.js';

const RUNS = Number(process.env['KSCOPE_RING_RUNS'] ?? 60);
const source = Uint8Array.from({ length: SOURCE_SIZE }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
const KEY = new Uint8Array(4);

/** A ring, bytes to write into it and results, with one engine. */
class EngineRing {
  readonly #runtime: BpfRuntime;
  readonly #ring: RingBufferMap;
  readonly #maps;

  constructor(engine: Engine) {
    this.#runtime = new BpfRuntime(new TestHost({ cpus: 1 }), { engine });
    const common = { keySize: 4, maxEntries: 1, flags: 0, keyTypeId: 0, valueTypeId: 0 };
    const array = { ...common, type: BpfMapType.BPF_MAP_TYPE_ARRAY };
    const ring = this.#runtime.createMap({
      ...common,
      name: 'ring',
      type: BpfMapType.BPF_MAP_TYPE_RINGBUF,
      keySize: 0,
      valueSize: 0,
      maxEntries: RING_SIZE,
    });
    if (!(ring instanceof RingBufferMap)) throw new TypeError('not a ring');
    this.#ring = ring;
    const bytes = this.#runtime.createMap({ ...array, name: 'source', valueSize: SOURCE_SIZE });
    bytes.sysUpdate(KEY, source);
    this.#maps = [ring, bytes, this.#runtime.createMap({ ...array, name: 'results', valueSize: 8 * MAX_OPERATIONS })];
  }

  /** Results, positions, counts and all bytes of the data, both halves, after a program. */
  run(insns: readonly Insn[], take: number): Record<string, unknown> {
    const program = this.#runtime.loadProgram({
      name: 'ring',
      type: BpfProgType.BPF_PROG_TYPE_XDP,
      expectedAttachType: 0,
      license: 'GPL',
      insns,
      maps: this.#maps,
    });
    const { retval } = this.#runtime.testRun(program, { dataIn: new Uint8Array(64) });
    program.release();
    const { area } = this.#ring;
    const data = area.address + RingLayout.data;
    const seen = {
      retval,
      results: hex(this.#maps[2].sysLookup(KEY)),
      positions: [area.consumer, area.producer],
      privatePage: hex(this.#runtime.memory.u8.slice(area.address, area.address + RingLayout.consumerPage)),
      pending: this.#runtime.memory.view.getBigUint64(area.address + RingLayout.pendingPos, true),
      data: hex(this.#runtime.memory.u8.slice(data, data + 2 * RING_SIZE)),
    };
    new RingBufferConsumer(this.#runtime.memory, area).consume(() => undefined, take);
    return seen;
  }
}

function hex(bytes: Uint8Array | number): string {
  return typeof bytes === 'number' ? String(bytes) : Buffer.from(bytes).toString('hex');
}

describe('compiled programs write the ring that interpreted ones write', () => {
  it('results, positions and every byte after random programs', () => {
    fc.assert(
      fc.property(ringPhases, (phases) => {
        const sides = [createInterpreter(), createJit()].map((engine) => new EngineRing(engine));
        for (const { operations, take } of phases) {
          const [interpreted, compiled] = sides.map((side) => side.run(ringProgram(operations), take));
          expect(compiled).toEqual(interpreted);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
