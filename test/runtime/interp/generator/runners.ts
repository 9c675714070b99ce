import { BpfMapType } from '../../../../src/base/index.js';
import {
  BpfRuntime,
  createInterpreter,
  encodeInsns,
  LDIMM64,
  type BpfMap,
  type Engine,
  type Insn,
} from '../../../../src/runtime/index.js';
import type { LinuxOracle } from '../../../oracle/linux.js';
import { TestHost } from '../../../support/test-host.js';
import { MapArea } from './layout.js';

/** A program and what it runs on, as generated or recorded. */
export interface Run {
  readonly type: number;
  readonly insns: readonly Insn[];
  readonly value: Uint8Array;
  readonly packet: Uint8Array;
}

/** Everything of a run that can be seen from outside. */
export interface Outcome {
  readonly retval: number;
  readonly value: Uint8Array;
  readonly packet: Uint8Array;
}

const KEY = new Uint8Array(4);

/** Runs programs in kscope, all on the same array map. */
export class KscopeRunner {
  readonly #runtime: BpfRuntime;
  readonly #map: BpfMap;

  constructor(engine: Engine = createInterpreter()) {
    const host = new TestHost({ cpus: 1 });
    // Generated programs run some thousand instructions; broken ones shall not loop for long.
    this.#runtime = new BpfRuntime(host, { engine, instructionBudget: 100_000 });
    this.#map = this.#runtime.createMap({
      name: 'values',
      type: BpfMapType.BPF_MAP_TYPE_ARRAY,
      keySize: 4,
      valueSize: MapArea.size,
      maxEntries: 1,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
    });
  }

  run({ type, insns, value, packet }: Run): Outcome {
    this.#map.sysUpdate(KEY, value);
    const program = this.#runtime.loadProgram({
      name: 'generated',
      type,
      expectedAttachType: 0,
      license: 'GPL',
      insns,
      maps: [this.#map],
    });
    try {
      const { retval, dataOut } = this.#runtime.testRun(program, { dataIn: packet });
      return { retval, packet: dataOut, value: this.#map.sysLookup(KEY) as Uint8Array };
    } finally {
      program.release();
    }
  }
}

/** Runs programs in the kernel, all on the same array map. */
export class LinuxRunner {
  readonly #linux: LinuxOracle;
  readonly #map: number;

  constructor(linux: LinuxOracle) {
    this.#linux = linux;
    this.#map = linux.slot();
    void linux.mapCreate(this.#map, {
      type: BpfMapType.BPF_MAP_TYPE_ARRAY,
      keySize: 4,
      valueSize: MapArea.size,
      maxEntries: 1,
    });
  }

  async run({ type, insns, value, packet }: Run): Promise<Outcome> {
    const linux = this.#linux;
    const slot = linux.slot();
    const program = { type, insns: encodeInsns(this.#aim(insns)) };
    const updated = linux.mapUpdate(this.#map, KEY, value);
    const loaded = linux.progLoad(slot, program);
    const tested = linux.testRun(slot, { dataIn: packet, dataRoom: packet.length });
    const found = linux.mapLookup(this.#map, KEY, MapArea.size);
    void linux.close(slot);
    const [{ result }, run, after] = await Promise.all([loaded, tested, found, updated]);
    if (result < 0 || run.result < 0 || typeof after === 'number')
      throw new Error(await this.#why(program, run.result));
    return { retval: run.retval, packet: run.data, value: after };
  }

  /** Map number 0 of the program becomes the oracle's slot. */
  #aim(insns: readonly Insn[]): Insn[] {
    return insns.map((insn) =>
      insn.code === LDIMM64 && (insn.src === 1 || insn.src === 2) ? { ...insn, imm: this.#map } : insn,
    );
  }

  async #why(program: { type: number; insns: Uint8Array }, runResult: number): Promise<string> {
    const slot = this.#linux.slot();
    const { result, log } = await this.#linux.progLoad(slot, { ...program, logLevel: 1, logSize: 1 << 24 });
    void this.#linux.close(slot);
    return `Linux refused a generated program: load ${result}, run ${runResult}\n${log.slice(-2000)}`;
  }
}
