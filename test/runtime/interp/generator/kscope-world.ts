import { BpfError } from '../../../../src/base/index.js';
import {
  type BpfMap,
  BpfMemory,
  type BpfProgram,
  BpfRuntime,
  type Engine,
  type Insn,
  type ProgArrayMap,
  type ProgramFault,
  type RingBufferMap,
  RingLayout,
} from '../../../../src/runtime/index.js';
import { TestHost } from '../../../support/test-host.js';
import { type World, WORLD_RING_SIZE, WorldMaps } from './world.js';
import { hex, type MapState, type WorldOutcome } from './world-outcome.js';
import { ProgArrayIndex } from './world-statement.js';

const KEY = new Uint8Array(4);
/** Worlds run some ten thousand instructions, 34 times where they call themselves; broken ones shall not loop for long. */
const BUDGET = 2_000_000;

/** Runs worlds in kscope, in a runtime that serves one after the other. */
export class KscopeWorld {
  readonly #runtime: BpfRuntime;

  constructor(
    engine: Engine,
    { cpus = 2, shared = false }: { readonly cpus?: number; readonly shared?: boolean } = {},
  ) {
    const memory = new BpfMemory({ shared });
    this.#runtime = new BpfRuntime(new TestHost({ cpus }), { engine, memory, instructionBudget: BUDGET });
  }

  run({ main, target, maps: specs, subjects }: World): WorldOutcome {
    const runtime = this.#runtime;
    const maps = specs.map((spec) => runtime.createMap(spec));
    const programs: BpfProgram[] = [];
    try {
      maps[WorldMaps.values].sysUpdate(KEY, main.value);
      programs.push(...this.#load(main.type, [main.insns, target.insns], maps));
      const array = maps[WorldMaps.programs] as ProgArrayMap;
      array.setProgram(ProgArrayIndex.self, programs[0]);
      array.setProgram(ProgArrayIndex.target, programs[1]);
      const run = this.#run(programs[0], main.packet);
      const ring = (maps[WorldMaps.ring] as RingBufferMap).area;
      const data = ring.address + RingLayout.data;
      return {
        ...run,
        value: hex(maps[WorldMaps.values].sysLookup(KEY) as Uint8Array),
        ring: {
          consumer: ring.consumer,
          producer: ring.producer,
          data: hex(runtime.memory.u8.subarray(data, data + WORLD_RING_SIZE)),
        },
        maps: subjects.map(({ map }) => stateOf(maps[map])),
      };
    } finally {
      for (const index of [ProgArrayIndex.self, ProgArrayIndex.target]) {
        maps[WorldMaps.programs].sysDelete(Uint8Array.of(index, 0, 0, 0));
      }
      for (const object of [...programs, ...maps]) object.release();
    }
  }

  /** Bytes of BPF memory in use: nothing may be left of worlds that have been. */
  get memoryUsed(): number {
    return this.#runtime.memory.used;
  }

  #load(type: number, programs: readonly (readonly Insn[])[], maps: readonly BpfMap[]): BpfProgram[] {
    const rest = { name: 'world', type, expectedAttachType: 0, license: 'GPL', maps };
    return this.#runtime.loadPrograms(programs.map((insns) => ({ ...rest, insns })));
  }

  #run(program: BpfProgram, packet: Uint8Array): Pick<WorldOutcome, 'retval' | 'fault' | 'packet'> {
    try {
      const { retval, dataOut } = this.#runtime.testRun(program, { dataIn: packet });
      return { retval, packet: hex(dataOut) };
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      return { retval: 0, packet: '', fault: faultText(error) };
    }
  }
}

function faultText({ cause, message }: BpfError): string {
  const fault = cause as Partial<ProgramFault> | undefined;
  return fault?.reason === undefined ? message : `${fault.pc}: ${fault.reason}`;
}

function stateOf(map: BpfMap): MapState {
  const keys: string[] = [];
  const values: Record<string, string> = {};
  for (let key = map.sysNextKey(null); typeof key !== 'number'; key = map.sysNextKey(key)) {
    keys.push(hex(key));
    values[hex(key)] = hex(map.sysLookup(key) as Uint8Array);
  }
  return { keys, values };
}
