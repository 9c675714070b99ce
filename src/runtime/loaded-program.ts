import type { EngineProgram } from './engine.js';
import type { Executable } from './executable.js';
import type { BpfProgram } from './program.js';

/** A program of a `BpfRuntime`. Holds a reference to each of its maps until its own last reference goes. */
export class LoadedProgram implements BpfProgram {
  readonly id: number;
  readonly executable: Executable;
  readonly engine: EngineProgram;
  readonly active: Int32Array;
  recursionMisses = 0n;
  /** A number, so that counting costs nothing; 2^53 runs are out of reach. */
  runs = 0;
  readonly #onRelease: (program: LoadedProgram) => void;
  #references = 1;

  constructor(
    id: number,
    executable: Executable,
    engine: EngineProgram,
    cpus: number,
    onRelease: (program: LoadedProgram) => void,
  ) {
    this.id = id;
    this.executable = executable;
    this.engine = engine;
    this.active = new Int32Array(cpus);
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
    return BigInt(this.runs);
  }

  retain(): void {
    this.#references++;
  }

  release(): void {
    if (--this.#references > 0) return;
    this.engine.dispose();
    for (const map of this.executable.maps) map.release();
    this.#onRelease(this);
  }
}
