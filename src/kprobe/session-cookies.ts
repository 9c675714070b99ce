import type { BpfMemory, BpfOffset } from '../runtime/index.js';
import type { KretprobeInstance } from './kretprobe.js';

const COOKIE_SIZE = 8;

/** The 8 bytes that the two runs of a session share, for each call that can be followed at one time (bpf_session_cookie). */
export class SessionCookies {
  readonly #memory: BpfMemory;
  readonly #first: BpfOffset;
  readonly #count: number;
  readonly #places = new Map<KretprobeInstance, number>();

  /** Throws ENOMEM where there is no memory for them. */
  constructor(memory: BpfMemory, count: number) {
    this.#memory = memory;
    this.#count = count;
    this.#first = memory.alloc(COOKIE_SIZE * count);
  }

  /** Offset of the bytes of a call that begins: zero. */
  begin(instance: KretprobeInstance): number {
    const place = this.#places.get(instance) ?? this.#first + COOKIE_SIZE * this.#places.size;
    this.#places.set(instance, place);
    this.#memory.u8.fill(0, place, place + COOKIE_SIZE);
    return place;
  }

  /** Those of a call that returns. */
  of(instance: KretprobeInstance): number {
    return this.#places.get(instance) ?? this.#first;
  }

  free(): void {
    this.#memory.free(this.#first, COOKIE_SIZE * this.#count);
  }
}
