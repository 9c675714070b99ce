import type { BpfMemory, BpfOffset } from '../memory/bpf-memory.js';

/** A ring whose consumers may have to be woken. */
export interface WakeSource {
  /** Wakes consumers if a commit has asked for it since the last time. */
  deliverWakeups(): void;
}

/**
 * Wake-ups that programs have asked for and consumers have not had yet. A commit only sets words in BpfMemory, one of
 * its ring's and one of all rings', as Linux only queues work for after the interrupt: compiled code commits without
 * leaving its module. The runtime delivers when a run has ended.
 */
export class PendingWakeups {
  /** Offset of the word that is not 0 while there is something to deliver. */
  readonly word: BpfOffset;
  readonly #memory: BpfMemory;
  readonly #sources = new Set<WakeSource>();

  constructor(memory: BpfMemory) {
    this.#memory = memory;
    this.word = memory.alloc(4);
  }

  get any(): boolean {
    return this.#memory.u32[this.word >>> 2] !== 0;
  }

  add(source: WakeSource): void {
    this.#sources.add(source);
  }

  delete(source: WakeSource): void {
    this.#sources.delete(source);
  }

  /** Says that some ring has noted a wake-up. */
  note(): void {
    this.#memory.u32[this.word >>> 2] = 1;
  }

  deliver(): void {
    // First: what a waker runs may ask again.
    this.#memory.u32[this.word >>> 2] = 0;
    for (const source of this.#sources) source.deliverWakeups();
  }
}
