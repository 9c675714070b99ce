import { BpfProgType } from 'kscope/base';
import { encodeInsns } from 'kscope/runtime';
import { type LinuxOracle, linuxOracle, type Slot } from '../../test/oracle/linux-oracle.js';
import { COUNTERS, insnMaker } from './program-of-size.js';

/** Loads programs like those of `programMaker` into the kernel, which verifies and compiles them. */
export class LinuxLoad {
  readonly #linux: LinuxOracle;
  readonly #map: Slot;
  readonly #make = insnMaker();

  private constructor(linux: LinuxOracle, map: Slot) {
    this.#linux = linux;
    this.#map = map;
  }

  static async open(): Promise<LinuxLoad | { readonly unavailable: string }> {
    const linux = linuxOracle();
    if ('unavailable' in linux) return linux;
    const map = linux.slot();
    const { name, type, keySize, valueSize, maxEntries } = COUNTERS;
    const created = await linux.mapCreate(map, { name, type, keySize, valueSize, maxEntries });
    if (created !== 0) throw new Error(`creating map ${name}: the kernel answers ${created}`);
    return new LinuxLoad(linux, map);
  }

  /** Microseconds that bpf(BPF_PROG_LOAD) takes for a program never seen before; it is closed at once. */
  async once(size: number): Promise<number> {
    const program = this.#linux.slot();
    const { result, durationNs } = await this.#linux.progLoad(program, {
      name: `size${size}`,
      type: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
      insns: encodeInsns(this.#make(size, this.#map)),
    });
    if (result !== 0) throw new Error(`loading a program of ${size} instructions: the kernel answers ${result}`);
    await this.#linux.close(program);
    return durationNs / 1e3;
  }

  close(): void {
    this.#linux.end();
  }
}
