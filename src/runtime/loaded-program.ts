import { BpfError } from '../base/index.js';
import type { EngineProgram } from './engine.js';
import type { Executable } from './executable.js';
import type { BpfMemory, BpfOffset } from './memory/bpf-memory.js';
import type { BpfProgram, HitAccount } from './program.js';

export interface LoadedProgramOptions {
  readonly id: number;
  readonly executable: Executable;
  readonly engine: EngineProgram;
  readonly memory: BpfMemory;
  readonly cpus: number;
  readonly onRelease: (program: LoadedProgram) => void;
}

/** A program of a `BpfRuntime`. Holds a reference to each of its maps until its own last reference goes. */
export class LoadedProgram implements BpfProgram {
  readonly id: number;
  readonly executable: Executable;
  readonly engine: EngineProgram;
  readonly active: BpfOffset;
  /** Runs that no hook has begun, and those of past attachments. Numbers: 2^53 runs are out of reach. */
  runs = 0;
  #misses = 0;
  readonly #memory: BpfMemory;
  readonly #activeSize: number;
  readonly #onRelease: (program: LoadedProgram) => void;
  readonly #attachments = new Set<HitAccount>();
  #references = 1;

  /** Throws ENOMEM where there is no memory for the guards. */
  constructor({ id, executable, engine, memory, cpus, onRelease }: LoadedProgramOptions) {
    this.id = id;
    this.executable = executable;
    this.engine = engine;
    this.#memory = memory;
    this.#activeSize = 4 * cpus;
    this.active = memory.alloc(this.#activeSize);
    this.#onRelease = onRelease;
    for (const map of executable.maps) map.retain();
  }

  get name(): string {
    return this.executable.name;
  }

  get type(): number {
    return this.executable.type;
  }

  get runCount(): bigint {
    return BigInt([...this.#attachments].reduce((sum, { counts }) => sum + counts.runs, this.runs));
  }

  get recursionMisses(): bigint {
    return BigInt([...this.#attachments].reduce((sum, { counts }) => sum + counts.recursion, this.#misses));
  }

  addAccount(account: HitAccount): void {
    this.#attachments.add(account);
  }

  closeAccount(account: HitAccount): void {
    this.#attachments.delete(account);
    this.runs += account.counts.runs;
    this.#misses += account.counts.recursion;
  }

  /** EBADF once the last reference has gone: its memory is somebody else's. */
  retain(): void {
    if (this.#references === 0) {
      throw new BpfError('EBADF', `using program ${this.name}: it is unloaded`, {
        remedy: 'attach it before the collection that loaded it is closed',
      });
    }
    this.#references++;
  }

  release(): void {
    if (this.#references === 0 || --this.#references > 0) return;
    this.engine.dispose();
    this.#memory.free(this.active, this.#activeSize);
    for (const map of this.executable.maps) map.release();
    this.#onRelease(this);
  }
}
