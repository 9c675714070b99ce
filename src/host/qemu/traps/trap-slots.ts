import type { GuestRam, RamView } from '../../guest/index.js';
import { TrapSlot } from './trap-stub.js';

/**
 * The slots of a mailbox, one for each CPU, in a guest's RAM: through a view of this process where there is one, else by
 * reads and writes.
 */
export class TrapSlots {
  readonly cpus: number;
  readonly #ram: GuestRam;
  readonly #address: number;
  readonly #words: Int32Array | null;
  readonly #first: number;
  readonly #scratch = new Uint8Array(4);

  constructor(ram: GuestRam, views: readonly RamView[], address: number, cpus: number) {
    this.cpus = cpus;
    this.#ram = ram;
    this.#address = address;
    const view = views.find(
      ({ start, bytes }) => address >= start && address + cpus * TrapSlot.size <= start + bytes.byteLength,
    );
    this.#words =
      view === undefined ? null : new Int32Array(view.bytes.buffer, view.bytes.byteOffset, view.bytes.byteLength >> 2);
    this.#first = view === undefined ? 0 : (address - view.start) >> 2;
    ram.write(address, new Uint8Array(cpus * TrapSlot.size), 0, cpus * TrapSlot.size);
  }

  state(cpu: number): number {
    const words = this.#words;
    // Atomics, since another thread writes: a plain load may be moved out of the loop that waits.
    return words === null
      ? this.word(cpu, TrapSlot.state)
      : Atomics.load(words, this.#first + cpu * (TrapSlot.size >> 2));
  }

  /** A 32-bit word of a posted slot. */
  word(cpu: number, offset: number): number {
    const words = this.#words;
    if (words !== null) return words[this.#first + ((cpu * TrapSlot.size + offset) >> 2)];
    return this.#ram.word(this.#address + cpu * TrapSlot.size + offset) | 0;
  }

  /** Lets the CPU go on. */
  answer(cpu: number, state: number): void {
    if (this.#words !== null) {
      Atomics.store(this.#words, this.#first + cpu * (TrapSlot.size >> 2), state);
      return;
    }
    this.#scratch[0] = state;
    this.#ram.write(this.#address + cpu * TrapSlot.size, this.#scratch, 0, 4);
  }
}
