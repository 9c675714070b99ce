import { BpfMapType, BpfPseudo } from '../../../../src/base/index.js';
import { encodeInsns, type Insn, LDIMM64 } from '../../../../src/runtime/index.js';
import type { LinuxOracle, LinuxProgram, Slot } from '../../../oracle/linux.js';
import { MapArea } from './layout.js';

import { type World, WORLD_RING_SIZE, WorldMaps, type WorldProgram } from './world.js';
import { fromHex, hex, type MapState, type WorldOutcome } from './world-outcome.js';
import type { Subject } from './world-operands.js';
import { ProgArrayIndex } from './world-statement.js';

const KEY = new Uint8Array(4);
const MAP_REFERENCES: readonly number[] = [BpfPseudo.BPF_PSEUDO_MAP_FD, BpfPseudo.BPF_PSEUDO_MAP_VALUE];

/** Id of the one function in `functionBtf`. */
const FUNCTION_ID = 3;

/** Types of `static int f()`, as which all functions pass: Linux lets no callback in whose type it does not know. */
function functionBtf(): Uint8Array {
  const strings = '\0int\0f\0';
  const types = [1, 1 << 24, 4, (1 << 24) | 32, 0, 13 << 24, 1, 5, 12 << 24, 2];
  const words = [0x0001_eb9f, 24, 0, 4 * types.length, 4 * types.length, strings.length, ...types];
  const btf = new Uint8Array(4 * words.length + strings.length);
  const view = new DataView(btf.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  btf.set(new TextEncoder().encode(strings), 4 * words.length);
  return btf;
}

/** Runs worlds in the kernel, each with maps of its own. */
export class LinuxWorld {
  readonly #linux: LinuxOracle;
  readonly #btf: Slot;

  constructor(linux: LinuxOracle) {
    this.#linux = linux;
    this.#btf = linux.slot();
    void linux.btfLoad(this.#btf, functionBtf());
  }

  /** All requests go out at once: about what is in the maps, `expected` tells what to ask. */
  async run({ main, target, maps: specs, subjects }: World, expected: WorldOutcome): Promise<WorldOutcome> {
    const linux = this.#linux;
    const slots = specs.map((spec) => {
      const slot = linux.slot();
      void linux.mapCreate(slot, spec);
      return slot;
    });
    const values = slots[WorldMaps.values];
    void linux.mapUpdate(values, KEY, main.value);
    const programs = [main, target].map((program) => this.#program(main.type, program, slots));
    const programSlots = programs.map(() => linux.slot());
    const loads = programs.map((program, i) => linux.progLoad(programSlots[i], program));
    const array = slots[WorldMaps.programs];
    void linux.mapUpdateObject(array, Uint8Array.of(ProgArrayIndex.self, 0, 0, 0), programSlots[0]);
    void linux.mapUpdateObject(array, Uint8Array.of(ProgArrayIndex.target, 0, 0, 0), programSlots[1]);
    const tested = linux.testRun(programSlots[0], { dataIn: main.packet, dataRoom: main.packet.length });
    const value = linux.mapLookup(values, KEY, MapArea.size);
    const ring = linux.ringbufRead(slots[WorldMaps.ring], WORLD_RING_SIZE);
    const states = subjects.map((subject, i) => this.#stateOf(slots[subject.map], subject, expected.maps[i]));
    // The array of programs and they hold each other.
    for (const index of Object.values(ProgArrayIndex)) void linux.mapDelete(array, Uint8Array.of(index, 0, 0, 0));
    const { result, retval, data } = await tested;
    const bytes = await value;
    for (const [i, load] of loads.entries()) {
      if ((await load).result < 0) throw new Error(await this.#why(programs[i], (await load).result));
    }
    void linux.close(...programSlots, ...slots);
    if (result < 0 || typeof bytes === 'number') throw new Error(`BPF_PROG_TEST_RUN answers ${result}`);
    const { consumer, producer, data: records } = await ring;
    return {
      retval,
      value: hex(bytes),
      packet: hex(data),
      ring: { consumer, producer, data: hex(records) },
      maps: await Promise.all(states),
    };
  }

  /** Waits for all that has been asked. */
  async close(): Promise<void> {
    await this.#linux.close(this.#btf);
  }

  #program(type: number, { insns, functions }: WorldProgram, slots: readonly Slot[]): LinuxProgram {
    const funcInfo = new Uint32Array(functions.flatMap((at) => [at, FUNCTION_ID]));
    return {
      type,
      insns: encodeInsns(insns.map((insn) => aimed(insn, slots))),
      btf: this.#btf,
      funcInfo: new Uint8Array(funcInfo.buffer),
    };
  }

  async #stateOf(slot: Slot, { spec, isOrdered }: Subject, expected: MapState): Promise<MapState> {
    const linux = this.#linux;
    const isPerCpu =
      spec.type === BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY || spec.type === BpfMapType.BPF_MAP_TYPE_PERCPU_HASH;
    const size = isPerCpu ? 8 * linux.cpus : 8;
    const walked = [null, ...expected.keys].map((key) =>
      linux.mapNextKey(slot, key === null ? null : fromHex(key), spec.keySize),
    );
    const candidates = possibleKeys(spec.keySize);
    const looked = candidates.map((key) => linux.mapLookup(slot, key, size));
    const values: Record<string, string> = {};
    for (const [i, lookup] of looked.entries()) {
      const value = await lookup;
      if (typeof value !== 'number') values[hex(candidates[i])] = hex(value);
    }
    const order = (await Promise.all(walked)).flatMap((key) => (typeof key === 'number' ? [] : [hex(key)]));
    return { keys: isOrdered ? order : Object.keys(values), values };
  }

  /** The verifier's last words. */
  async #why(program: LinuxProgram, result: number): Promise<string> {
    const linux = this.#linux;
    const slot = linux.slot();
    const { log } = await linux.progLoad(slot, { ...program, logLevel: 1, logSize: 1 << 24 });
    await linux.close(slot);
    return `Linux refused a generated program (${result}):\n${log.slice(-3000)}`;
  }
}

/** Maps go by their slots, by number in the programs. */
function aimed(insn: Insn, slots: readonly Slot[]): Insn {
  return insn.code === LDIMM64 && MAP_REFERENCES.includes(insn.src) ? { ...insn, imm: slots[insn.imm] } : insn;
}

/** Every key that a generated program may have put into a map. */
function possibleKeys(size: number): Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (let low = 0; low < 20; low++) {
    for (const high of size === 12 ? [0, 1] : [0]) {
      const key = new Uint8Array(size);
      key[0] = low;
      if (high !== 0) key[8] = high;
      keys.push(key);
    }
  }
  return keys;
}
