import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfError, BpfMapFlag, BpfMapType, BpfProgType } from '../../../src/base/index.js';
import {
  type BpfMap,
  BpfRuntime,
  createInterpreter,
  createJit,
  type Engine,
  type Insn,
  MapHeader,
  type MapSpec,
} from '../../../src/runtime/index.js';
import { LruList } from '../../../src/runtime/map/lru-list.js';
import { TestHost } from '../../../test/support/test-host.js';
import {
  keyBytes,
  MAX_KEY,
  MAX_OPERATIONS,
  MAX_VALUE,
  sizedMapProgram,
  sizedOperations,
  SOURCE_SIZE,
} from './sized-map-program.js';

const RUNS = Number(process.env['KSCOPE_MAP_RUNS'] ?? 40);
const CPUS = 2;
const KEYS = 12;
const source = Uint8Array.from({ length: SOURCE_SIZE }, (_, i) => (i * 31 + 7) & 0xff);

/** The maps of one engine. */
class Side {
  readonly #runtime: BpfRuntime;
  readonly #subject: BpfMap;
  readonly #maps: readonly BpfMap[];

  constructor(engine: Engine, subject: MapSpec) {
    this.#runtime = new BpfRuntime(new TestHost({ cpus: CPUS }), { engine });
    const array = { ...subject, type: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, maxEntries: 1, flags: 0 };
    this.#subject = this.#runtime.createMap(subject);
    const bytes = this.#runtime.createMap({ ...array, name: 'source', valueSize: SOURCE_SIZE });
    bytes.sysUpdate(new Uint8Array(4), source);
    const results = this.#runtime.createMap({ ...array, name: 'results', valueSize: 8 * MAX_OPERATIONS + 8 });
    this.#maps = [this.#subject, bytes, results];
  }

  /** Everything that a run leaves: its fault, results and all bytes of the map. */
  run(insns: readonly Insn[], cpu: number): readonly string[] {
    const program = this.#runtime.loadProgram({
      name: 'maps',
      type: BpfProgType.BPF_PROG_TYPE_XDP,
      expectedAttachType: 0,
      license: 'GPL',
      insns,
      maps: this.#maps,
    });
    const fault = this.#faultOf(() => this.#runtime.testRun(program, { dataIn: new Uint8Array(64), cpu }));
    program.release();
    return [fault, hex(this.#maps[2]?.sysLookup(new Uint8Array(4)) ?? 0), ...this.#bytes()];
  }

  /** What somebody does through the system call. */
  change(key: number, isDeletion: boolean): number {
    const { keySize } = this.#subject;
    const bytes = keyBytes(key, keySize);
    if (isDeletion) return this.#subject.sysDelete(bytes);
    return this.#subject.sysUpdate(bytes, new Uint8Array(valueLength(this.#subject)).fill(key));
  }

  /** Why the run stopped: writing to a map that programs may only read, say. */
  #faultOf(run: () => void): string {
    try {
      run();
      return '';
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      return error.message;
    }
  }

  #bytes(): string[] {
    const { u8, u32 } = this.#runtime.memory;
    const map = this.#subject;
    const field = (at: number): number => u32[(map.address + at) >>> 2] ?? 0;
    const part = (start: number, size: number): string => (start === 0 ? '' : hex(u8.slice(start, start + size)));
    const buckets = field(MapHeader.buckets);
    return [
      part(map.address, MapHeader.size),
      part(buckets, 4 * (field(MapHeader.mask) + 1)),
      part(
        field(MapHeader.elements),
        field(MapHeader.stride) * (map.maxEntries + (field(MapHeader.spares) ? CPUS : 0)),
      ),
      part(field(MapHeader.spares), 4 * CPUS),
      part(field(MapHeader.lru), LruList.stateSize(CPUS)),
    ];
  }
}

function valueLength({ type, valueSize }: BpfMap): number {
  const isPerCpu = type === BpfMapType.BPF_MAP_TYPE_PERCPU_HASH || type === BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY;
  return isPerCpu ? CPUS * Math.ceil(valueSize / 8) * 8 : valueSize;
}

function hex(bytes: Uint8Array | number): string {
  return typeof bytes === 'number' ? String(bytes) : Buffer.from(bytes).toString('hex');
}

const T = BpfMapType;
const { BPF_F_ZERO_SEED, BPF_F_NO_COMMON_LRU, BPF_F_RDONLY_PROG } = BpfMapFlag;

describe('compiled programs leave every byte of a map as interpreted ones do', () => {
  it.each([
    ['array', T.BPF_MAP_TYPE_ARRAY, 0],
    ['array, read-only', T.BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG],
    ['percpu_array', T.BPF_MAP_TYPE_PERCPU_ARRAY, 0],
    ['hash', T.BPF_MAP_TYPE_HASH, 0],
    ['hash, read-only', T.BPF_MAP_TYPE_HASH, BPF_F_RDONLY_PROG],
    ['hash in the order of Linux', T.BPF_MAP_TYPE_HASH, BPF_F_ZERO_SEED],
    ['percpu_hash', T.BPF_MAP_TYPE_PERCPU_HASH, 0],
    ['lru_hash', T.BPF_MAP_TYPE_LRU_HASH, 0],
    ['lru_hash in the order of Linux', T.BPF_MAP_TYPE_LRU_HASH, BPF_F_ZERO_SEED],
    ['lru_hash with lists per CPU', T.BPF_MAP_TYPE_LRU_HASH, BPF_F_NO_COMMON_LRU],
  ] as const)('%s', (_name, type, flags) => {
    const isArray = type === T.BPF_MAP_TYPE_ARRAY || type === T.BPF_MAP_TYPE_PERCPU_ARRAY;
    const sizes = fc.oneof(fc.constantFrom(4, 8), fc.integer({ min: 1, max: MAX_KEY }));
    const step = fc.record({
      operations: sizedOperations(KEYS),
      cpu: fc.nat(CPUS - 1),
      changes: fc.array(fc.tuple(fc.nat(KEYS), fc.boolean()), { maxLength: 3 }),
    });
    const scenario = fc.record({
      keySize: isArray ? fc.constant(4) : sizes,
      valueSize: fc.oneof(fc.constantFrom(8, 4), fc.integer({ min: 1, max: MAX_VALUE })),
      maxEntries: fc.constantFrom(1, 2, 4, 7, 16),
      steps: fc.array(step, { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(scenario, ({ keySize, valueSize, maxEntries, steps }) => {
        const spec = { name: 'subject', type, flags, keySize, valueSize, maxEntries, keyTypeId: 0, valueTypeId: 0 };
        const sides = [createInterpreter(), createJit()].map((engine) => new Side(engine, spec));
        for (const { operations, cpu, changes } of steps) {
          const program = sizedMapProgram(operations, keySize);
          const [interpreted, compiled] = sides.map((side) => side.run(program, cpu));
          expect(compiled).toEqual(interpreted);
          for (const change of changes) {
            const [one, other] = sides.map((side) => side.change(...change));
            expect(other).toBe(one);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });
});
