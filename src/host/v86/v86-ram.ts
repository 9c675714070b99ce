import type { GuestRam, RamRange } from '../guest/index.js';
import type { V86Cpu } from './v86-internals.js';

/** What the VGA adapter shows there is no RAM. */
const VGA_START = 0xa_0000;
const VGA_END = 0xc_0000;

/**
 * Physical memory of an emulated PC. Its bytes lie in v86's WebAssembly memory, whose buffer is another one whenever it has
 * grown: views are made anew then. What is written as code is no longer run as it was compiled.
 */
export class V86Ram implements GuestRam {
  readonly ranges: readonly RamRange[];
  readonly size: number;
  readonly #cpu: V86Cpu;
  readonly #memory: WebAssembly.Memory;
  #buffer: ArrayBuffer | SharedArrayBuffer;
  #bytes: Uint8Array;
  #words: Int32Array;
  #registers: Int32Array;

  constructor(cpu: V86Cpu) {
    this.#cpu = cpu;
    this.#memory = cpu.wasm_memory;
    this.size = cpu.memory_size[0];
    this.ranges = [
      { start: 0, size: VGA_START },
      { start: VGA_END, size: this.size - VGA_END },
    ];
    this.#buffer = this.#memory.buffer;
    this.#bytes = new Uint8Array(0);
    this.#words = new Int32Array(0);
    this.#registers = new Int32Array(0);
    this.#makeViews();
  }

  /** All memory as words. Valid until the machine runs on. */
  get words(): Int32Array {
    if (this.#memory.buffer !== this.#buffer) this.#makeViews();
    return this.#words;
  }

  /** All memory as bytes. Valid until the machine runs on; to be read only. */
  get bytes(): Uint8Array {
    return this.#fresh();
  }

  /** eax, ecx, edx ...; valid until the machine runs on. */
  get registers(): Int32Array {
    if (this.#memory.buffer !== this.#buffer) this.#makeViews();
    return this.#registers;
  }

  read(address: number, dst: Uint8Array, offset: number, length: number): boolean {
    if (!this.#holds(address, length)) return false;
    const bytes = this.#fresh();
    if (length <= 8) for (let i = 0; i < length; i++) dst[offset + i] = bytes[address + i];
    else dst.set(bytes.subarray(address, address + length), offset);
    return true;
  }

  write(address: number, src: Uint8Array, offset: number, length: number): boolean {
    if (!this.#holds(address, length)) return false;
    if (length === 0) return true;
    this.#cpu.jit_dirty_cache(address, address + length);
    this.#fresh().set(src.subarray(offset, offset + length), address);
    return true;
  }

  word(address: number): number {
    return this.#holds(address, 4) ? this.words[address >> 2] >>> 0 : -1;
  }

  #fresh(): Uint8Array {
    if (this.#memory.buffer !== this.#buffer) this.#makeViews();
    return this.#bytes;
  }

  #holds(address: number, length: number): boolean {
    if (address >= VGA_END) return address + length <= this.size;
    return address >= 0 && address + length <= VGA_START;
  }

  #makeViews(): void {
    const { mem8, reg32 } = this.#cpu;
    this.#buffer = this.#memory.buffer;
    this.#bytes = new Uint8Array(this.#buffer, mem8.byteOffset, this.size);
    this.#words = new Int32Array(this.#buffer, mem8.byteOffset, this.size >> 2);
    this.#registers = new Int32Array(this.#buffer, reg32.byteOffset, 8);
  }
}
