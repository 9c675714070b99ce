import { BpfProgType } from '../../src/base/index.js';
import {
  BpfRuntime,
  createInterpreter,
  createJit,
  encodeInsns,
  type BpfMap,
  type Engine,
  type Insn,
  type MapSpec,
} from '../../src/runtime/index.js';
import type { LinuxOracle, Slot } from '../oracle/linux.js';
import { TestHost } from '../support/test-host.js';

/** What is compared with the kernel, by name. */
export const sides: readonly (readonly [name: string, engine: () => Engine])[] = [
  ['interp', createInterpreter],
  ['jit', () => createJit()],
];

/** One map, here and in the kernel. */
export interface MapPair {
  readonly spec: MapSpec;
  readonly ours: BpfMap;
  readonly slot: Slot;
}

export interface PairResult {
  /** r0's low word, signed. */
  readonly ours: number;
  readonly linux: number;
}

const PSEUDO_MAPS: readonly number[] = [1, 2];

/** Runs the same XDP programs over the same maps in our runtime and in the live kernel. */
export class SideBySide {
  readonly linux: LinuxOracle;
  readonly host: TestHost;
  readonly runtime: BpfRuntime;
  readonly maps: MapPair[] = [];

  constructor(linux: LinuxOracle, engine: Engine = createInterpreter()) {
    this.linux = linux;
    this.host = new TestHost({ cpus: linux.cpus });
    this.runtime = new BpfRuntime(this.host, { engine });
  }

  /** A map on both sides; its position among `maps` is what ldimm64 names in `imm`. */
  map(spec: Partial<MapSpec> & { readonly type: number }): MapPair {
    const full: MapSpec = {
      name: 'm',
      keySize: 4,
      valueSize: 8,
      maxEntries: 1,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
      ...spec,
    };
    const slot = this.linux.slot();
    void this.linux.mapCreate(slot, full);
    const pair = { spec: full, ours: this.runtime.createMap(full), slot };
    this.maps.push(pair);
    return pair;
  }

  /** Loads and runs once. Throws where the kernel's verifier refuses the program, with its log. */
  async run(insns: readonly Insn[]): Promise<PairResult> {
    const [ours, linux] = [this.runOurs(insns), await this.#runLinux(insns)];
    return { ours, linux };
  }

  runOurs(insns: readonly Insn[]): number {
    const program = this.runtime.loadProgram({
      name: 'pair',
      type: BpfProgType.BPF_PROG_TYPE_XDP,
      expectedAttachType: 0,
      license: 'GPL',
      insns,
      maps: this.maps.map((pair) => pair.ours),
    });
    const { retval } = this.runtime.testRun(program, { dataIn: new Uint8Array(64) });
    program.release();
    return retval | 0;
  }

  async #runLinux(insns: readonly Insn[]): Promise<number> {
    const slot = this.linux.slot();
    const load = this.linux.progLoad(slot, {
      type: BpfProgType.BPF_PROG_TYPE_XDP,
      insns: encodeInsns(insns.map((insn) => this.#named(insn))),
      logLevel: 1,
    });
    const run = this.linux.testRun(slot, { dataIn: new Uint8Array(64) });
    const loaded = await load;
    if (loaded.result < 0) throw new Error(`the kernel refuses the program (${loaded.result}):\n${loaded.log}`);
    const { result, retval } = await run;
    if (result < 0) throw new Error(`BPF_PROG_TEST_RUN answers ${result}`);
    await this.linux.close(slot);
    return retval | 0;
  }

  /** The value of key 0 of an array, on both sides. */
  async firstValue(pair: MapPair): Promise<{ ours: Uint8Array; linux: Uint8Array }> {
    const key = new Uint8Array(pair.spec.keySize);
    const linux = await this.linux.mapLookup(pair.slot, key, pair.spec.valueSize);
    return { ours: pair.ours.sysLookup(key) as Uint8Array, linux: linux as Uint8Array };
  }

  /** Frees what is held on both sides. */
  async close(): Promise<void> {
    await this.linux.close(...this.maps.map((pair) => pair.slot));
    for (const pair of this.maps) pair.ours.release();
    this.maps.length = 0;
  }

  /** Maps go by their slot in the oracle. */
  #named(insn: Insn): Insn {
    const isMap = insn.code === 0x18 && PSEUDO_MAPS.includes(insn.src);
    return isMap ? { ...insn, imm: this.maps[insn.imm].slot } : insn;
  }
}
