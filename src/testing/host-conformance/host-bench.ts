import { hex64, hi32, lo32, u64 } from '../../base/index.js';
import type { Host, HostText, KernelSymbol } from '../../host/index.js';
import type { HostFacts, HostWork } from './host-facts.js';
import { runProbeTrial, type ProbeTrial } from './probe-trial.js';
import { MachineGone, must, Violation } from './host-check.js';

type Access = 'readKernel' | 'readUser';
type Store = 'writeKernel' | 'writeUser';

/** A host with the facts about it, and the experiments that several checks judge: each is made once. */
export class HostBench {
  readonly host: Host;
  readonly facts: HostFacts;
  /** Name of the check that is being made. */
  check = '';
  readonly #experiments = new Map<string, unknown>();
  /** The check during which the machine broke. */
  #brokenIn: string | null = null;

  constructor(host: Host, facts: HostFacts) {
    this.host = host;
    this.facts = facts;
  }

  /** Runs the workload. Throws what it throws, and MachineGone ever after. */
  workload(): HostWork {
    return this.runMachine(this.facts.workload);
  }

  /** As `workload`, for anything that lets the machine run. */
  runMachine<T>(body: () => T): T {
    if (this.#brokenIn !== null) throw new MachineGone(this.#brokenIn);
    try {
      return body();
    } catch (error) {
      this.#brokenIn = this.check;
      throw error;
    }
  }

  /** Text of the host. Only for checks that are skipped where there is none. */
  get text(): HostText {
    const { text } = this.host;
    if (text === null) throw new Violation('host.text is null');
    return text;
  }

  /** The symbol of `facts.function`. */
  get function(): KernelSymbol {
    const symbol = this.host.symbols.lookup(this.facts.function);
    must(symbol !== undefined, `symbols.lookup('${this.facts.function}') finds nothing, which is the function given`);
    return symbol;
  }

  /** Where pid and tgid lie in struct task_struct, or null where the host has no types. */
  get pidOffsets(): { readonly pid: number; readonly tgid: number } | null {
    const { btf } = this.host;
    const task = btf?.findByName('task_struct', 'struct');
    if (btf === null || task === undefined) return null;
    const [pid, tgid] = ['pid', 'tgid'].map((name) => btf.member(task.id, name)?.bitOffset);
    return pid === undefined || tgid === undefined ? null : { pid: pid / 8, tgid: tgid / 8 };
  }

  /** What happened when a probe stood on `facts.function` while the workload ran. */
  get trial(): ProbeTrial {
    return this.once('probe', () => runProbeTrial(this));
  }

  /** An experiment that several checks judge: made for the first of them. */
  once<T>(name: string, experiment: () => T): T {
    if (!this.#experiments.has(name)) this.#experiments.set(name, experiment());
    return this.#experiments.get(name) as T;
  }

  /** Reads `length` bytes into a buffer filled with 0xa5 that is `margin` bytes longer at either end. */
  read(address: bigint, length: number, margin = 0, how: Access = 'readKernel'): { ok: boolean; bytes: Uint8Array } {
    const bytes = new Uint8Array(length + 2 * margin).fill(0xa5);
    const ok = this.host.memory[how](lo32(address), hi32(address), bytes, margin, length);
    return { ok, bytes };
  }

  /** Bytes that must be readable. */
  bytes(address: bigint, length: number, how: Access = 'readKernel'): Uint8Array {
    const { ok, bytes } = this.read(address, length, 0, how);
    must(ok, () => `${how} of ${length} bytes at ${hex64(address)} faults`);
    return bytes;
  }

  write(address: bigint, bytes: Uint8Array, how: Store = 'writeKernel'): boolean {
    return this.host.memory[how](lo32(address), hi32(address), bytes, 0, bytes.length);
  }

  /** Runs `body` and puts back what was at `address`. */
  restoring(address: bigint, length: number, body: () => void): void {
    const before = this.bytes(address, length);
    try {
      body();
    } finally {
      this.write(address, before);
    }
  }

  /** An out-parameter of the contract, as a number of 64 bits. */
  pair(fill: (out: Int32Array) => void): bigint {
    const out = new Int32Array(2);
    fill(out);
    return u64(out[0], out[1]);
  }
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
