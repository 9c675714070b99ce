import { CollectionSpec, linkProgram, type LinkedProgram } from 'kscope/loader';
import { encodeInsns } from 'kscope/runtime';
import { type LinuxOracle, linuxOracle, type Slot } from '../../test/oracle/linux-oracle.js';
import type { Effort } from '../stopwatch.js';
import type { Contender } from './contender.js';
import { objectOf, packetOf, runsPerSample, type Workload } from './workloads.js';

/** The kernel's JIT, measured by BPF_PROG_TEST_RUN; or why it cannot be had. */
export function linuxContender(effort: Effort): Contender | { readonly unavailable: string } {
  const linux = linuxOracle();
  if ('unavailable' in linux) return linux;
  return {
    name: 'linux',
    async load(workload, repeat) {
      const run = new LinuxRun(linux, workload, repeat);
      const result = await run.calibrate(effort);
      return { result, sample: () => run.sample() };
    },
    close: () => linux.end(),
  };
}

/** An object in the kernel, and what of it is to be closed. */
interface LoadedObject {
  readonly program: Slot;
  readonly ring: Slot | undefined;
  readonly slots: readonly Slot[];
}

/**
 * A workload in the kernel. Each sample loads it anew: where the kernel happens to put code and maps changes the time
 * of a tight loop up to twofold, for as long as the program stays loaded.
 */
class LinuxRun {
  readonly #linux: LinuxOracle;
  readonly #object: Uint8Array;
  #loaded: LoadedObject | undefined;
  readonly #packet: Uint8Array;
  readonly #bytesPerRun: number;
  readonly #limit: number;
  #repeat = 1;
  #position = 0;

  constructor(linux: LinuxOracle, workload: Workload, repeat: number) {
    this.#linux = linux;
    this.#object = objectOf(workload.name, repeat);
    this.#packet = packetOf(workload.data);
    this.#bytesPerRun = (workload.ringBytes ?? 0) * repeat;
    this.#limit = Math.min(runsPerSample(workload, repeat), 10_000_000);
  }

  /** Finds how often to repeat in a sample; answers what the program returned, unsigned. */
  async calibrate({ sampleMs }: Effort): Promise<number> {
    const first = await this.#measure(await this.#load());
    let last = first;
    while (last.durationNs * this.#repeat < sampleMs * 1e6 && this.#repeat < this.#limit) {
      this.#repeat = Math.min(4 * this.#repeat, this.#limit);
      last = await this.#measure(await this.#load());
    }
    return first.retval;
  }

  /** Nanoseconds per run. */
  async sample(): Promise<number> {
    return (await this.#measure(await this.#load())).durationNs;
  }

  async #load(): Promise<LoadedObject> {
    if (this.#loaded !== undefined) await this.#linux.close(...this.#loaded.slots);
    this.#position = 0;
    this.#loaded = await loadObject(this.#linux, this.#object);
    return this.#loaded;
  }

  async #measure({ program, ring }: LoadedObject): Promise<{ readonly durationNs: number; readonly retval: number }> {
    if (ring !== undefined) await this.#linux.ringbufConsume(ring, BigInt(this.#position));
    const answer = await this.#linux.testRun(program, { dataIn: this.#packet, repeat: this.#repeat });
    if (answer.result !== 0) throw new Error(`BPF_PROG_TEST_RUN answers ${answer.result}`);
    this.#position += this.#repeat * this.#bytesPerRun;
    return answer;
  }
}

/** Creates the object's maps and loads its one program, as a loader would. */
async function loadObject(linux: LinuxOracle, object: Uint8Array): Promise<LoadedObject> {
  const spec = CollectionSpec.parse(object);
  const slots = new Map<string, Slot>();
  for (const map of spec.maps) {
    const slot = linux.slot();
    const { name, type, keySize, valueSize, maxEntries } = map;
    must(await linux.mapCreate(slot, { name, type, keySize, valueSize, maxEntries }), `creating map ${name}`);
    slots.set(name, slot);
  }
  const linked = linkProgram(spec, spec.programs[0]?.name ?? '', { btf: null });
  const program = linux.slot();
  const { name, type } = linked;
  const loaded = await linux.progLoad(program, { name, type, license: spec.license, insns: withSlots(linked, slots) });
  must(loaded.result, `loading ${name}`);
  return { program, ring: slots.get('records'), slots: [program, ...slots.values()] };
}

/** The program's instructions with the oracle's slots where the kernel wants descriptors. */
function withSlots({ insns, mapReferences }: LinkedProgram, slots: ReadonlyMap<string, Slot>): Uint8Array {
  const patched = [...insns];
  for (const { insn, map } of mapReferences) {
    const wide = patched[insn];
    if (wide !== undefined) patched[insn] = { ...wide, imm: slots.get(map) ?? -1 };
  }
  return encodeInsns(patched);
}

function must(result: number, what: string): void {
  if (result !== 0) throw new Error(`${what}: the kernel answers ${result}`);
}
