import type { BpfMemory, BpfOffset } from '../memory/bpf-memory.js';

/** Room for program contexts in BpfMemory: `levels` slots of one size for each CPU, until `free`. */
export class ContextSlots {
  readonly size: number;
  readonly #memory: BpfMemory;
  readonly #cpus: number;
  readonly #levels: number;
  /** Offset of the first slot, and the way to the next one; a CPU's levels are next to each other. */
  readonly start: BpfOffset;
  readonly stride: number;
  #freed = false;

  constructor(memory: BpfMemory, cpus: number, size: number, levels = 1) {
    this.size = size;
    this.#memory = memory;
    this.#cpus = cpus;
    this.#levels = levels;
    this.stride = (size + 15) & ~15;
    this.start = memory.alloc(this.stride * cpus * levels);
  }

  /** Byte offset of the slot; a multiple of 16. */
  at(cpu: number, level = 0): number {
    return this.start + (cpu * this.#levels + level) * this.stride;
  }

  /** Idempotent: memory given back twice would be handed out twice. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#memory.free(this.start, this.stride * this.#cpus * this.#levels);
  }
}
