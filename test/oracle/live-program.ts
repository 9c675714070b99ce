import { readFileSync } from 'node:fs';
import { parseBtf, type Btf } from '../../src/btf/index.js';
import { type CollectionSpec, linkProgram } from '../../src/loader/index.js';
import { encodeInsns, type MapSpec } from '../../src/runtime/index.js';
import type { LinuxLoad, LinuxMap, LinuxOracle, LinuxTestResult, LinuxTestRun, Slot } from './linux-oracle.js';

let types: Btf | undefined;

/** Types of the live kernel. */
export function liveBtf(): Btf {
  types ??= parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  return types;
}

/** A program of an object in the live kernel, with its maps. Loaded only; never attached. */
export class LiveProgram {
  readonly load: LinuxLoad;
  readonly #linux: LinuxOracle;
  readonly #slot: Slot;
  readonly #maps: ReadonlyMap<string, Slot>;

  private constructor(linux: LinuxOracle, slot: Slot, load: LinuxLoad, maps: ReadonlyMap<string, Slot>) {
    this.#linux = linux;
    this.#slot = slot;
    this.load = load;
    this.#maps = maps;
  }

  static async open(linux: LinuxOracle, spec: CollectionSpec, name: string): Promise<LiveProgram> {
    const linked = linkProgram(spec, name, { btf: liveBtf() });
    const maps = new Map<string, Slot>();
    for (const map of linked.maps) {
      const slot = linux.slot();
      maps.set(map.name, slot);
      const created = await linux.mapCreate(slot, untyped(map));
      if (created < 0) throw new Error(`creating ${map.name}: ${created}`);
      if (map.contents !== undefined) {
        const value = new Uint8Array(map.valueSize);
        value.set(map.contents);
        await linux.mapUpdate(slot, new Uint8Array(4), value);
      }
      if (map.frozen === true) await linux.mapFreeze(slot);
    }
    const insns = linked.insns.slice();
    for (const { insn, map } of linked.mapReferences) insns[insn] = { ...insns[insn], imm: maps.get(map) ?? -1 };
    const slot = linux.slot();
    const { type, expectedAttachType } = linked;
    const load = await linux.progLoad(slot, { type, expectedAttachType, insns: encodeInsns(insns), logLevel: 1 });
    return new LiveProgram(linux, slot, load, maps);
  }

  run(options: LinuxTestRun = { dataIn: new Uint8Array(64) }): Promise<LinuxTestResult> {
    return this.#linux.testRun(this.#slot, options);
  }

  /** The value of an array's only element. */
  async value(map: string, size: number): Promise<Uint8Array> {
    const value = await this.#linux.mapLookup(this.#maps.get(map) ?? -1, new Uint8Array(4), size);
    if (typeof value === 'number') throw new Error(`reading ${map}: ${value}`);
    return value;
  }

  /** Gives an array's only element a value. */
  async setValue(map: string, value: Uint8Array): Promise<void> {
    await this.#linux.mapUpdate(this.#maps.get(map) ?? -1, new Uint8Array(4), value);
  }

  async close(): Promise<void> {
    await this.#linux.close(this.#slot, ...this.#maps.values());
  }
}

/** Without the object's BTF there are no types to name. */
function untyped({ name, type, keySize, valueSize, maxEntries, flags, mapExtra = 0n }: MapSpec): LinuxMap {
  return { name, type, keySize, valueSize, maxEntries, flags, mapExtra };
}
