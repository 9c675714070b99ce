import type { HostMemory } from '../host.js';
import { Access, walkPageTables } from './cpu/page-walk.js';
import type { KernelLayout } from './kernel-layout.js';
import type { SimMachine } from './machine/sim-machine.js';

const PAGE = 4096;
/** Up to so many bytes a loop copies faster than `set`. */
const SHORT = 32;

/**
 * The machine's virtual memory as its current CPU sees it. Kernel accesses see kernel and user half alike
 * with the kernel's rights to read; writes go through read-only pages, as a debugger's do.
 */
export class SimMemory implements HostMemory {
  readonly #machine: SimMachine;
  readonly #mmAt: number;
  readonly #pgdAt: number;
  readonly #pair = new Int32Array(2);

  constructor(machine: SimMachine, layout: KernelLayout) {
    this.#machine = machine;
    this.#mmAt = layout.offset('task_struct', 'mm');
    this.#pgdAt = layout.offset('mm_struct', 'pgd');
  }

  readKernel(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean {
    return hi < 0 && this.#read(lo, hi, dst, offset, length, false);
  }

  writeKernel(lo: number, hi: number, src: Uint8Array, offset: number, length: number): boolean {
    return hi < 0 && this.#write(lo, hi, src, offset, length, Access.READ, false);
  }

  readUser(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean {
    return hi >= 0 && this.#read(lo, hi, dst, offset, length, true);
  }

  writeUser(lo: number, hi: number, src: Uint8Array, offset: number, length: number): boolean {
    return hi >= 0 && this.#write(lo, hi, src, offset, length, Access.WRITE, true);
  }

  readUserOf(
    taskLo: number,
    taskHi: number,
    lo: number,
    hi: number,
    dst: Uint8Array,
    offset: number,
    length: number,
  ): boolean {
    const root = this.#pageTables(taskLo, taskHi);
    if (hi < 0 || root < 0) return false;
    const { physical } = this.#machine;
    const read = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const sum = (lo >>> 0) + done;
      const room = Math.min(length - done, PAGE - (sum & 0xfff));
      const at = walkPageTables(physical, root, sum | 0, sum > 0xffff_ffff ? hi + 1 : hi, Access.READ, true, true);
      if (at < 0 || at + room > physical.size) return false;
      copy(physical.bytes, at, read, done, room);
      done += room;
    }
    dst.set(read, offset);
    return true;
  }

  /** Physical address of a task's top-level page table, -1 for none. */
  #pageTables(taskLo: number, taskHi: number): number {
    const pair = this.#pair;
    if (!this.pair(taskLo, taskHi, this.#mmAt, pair, 0) || pair[1] >= 0) return -1;
    if (!this.pair(pair[0], pair[1], this.#pgdAt, pair, 0) || pair[1] >= 0) return -1;
    return this.physical(pair[0], pair[1]);
  }

  isUser(_lo: number, hi: number): boolean {
    return hi >= 0 && hi <= 0x7fff;
  }

  /** Physical address of a kernel address, -1 where it is not mapped. */
  physical(lo: number, hi: number): number {
    return this.#translate(lo, hi, Access.READ, false);
  }

  /** A 32-bit word of kernel memory, 0 where there is none. */
  word(lo: number, hi: number): number {
    const at = this.physical(lo, hi);
    return at < 0 || at + 4 > this.#machine.physical.size ? 0 : this.#machine.physical.view.getInt32(at, true);
  }

  /** The 64-bit value `offset` bytes after lo:hi into `out` at `index`; false (and zero) on a fault. */
  pair(lo: number, hi: number, offset: number, out: Int32Array, index: number): boolean {
    const sum = (lo >>> 0) + offset;
    const at = this.physical(sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi);
    if (at < 0 || (at & 0xfff) > 0xff8) {
      out[index] = out[index + 1] = 0;
      return false;
    }
    const { view } = this.#machine.physical;
    out[index] = view.getInt32(at, true);
    out[index + 1] = view.getInt32(at + 4, true);
    return true;
  }

  #translate(lo: number, hi: number, access: number, user: boolean): number {
    const { cpus, currentCpu } = this.#machine;
    return cpus[currentCpu]?.mmu.translate(lo, hi, access, user) ?? -1;
  }

  #read(lo: number, hi: number, dst: Uint8Array, offset: number, length: number, user: boolean): boolean {
    if (length === 0) return true;
    const first = this.#translate(lo, hi, Access.READ, user);
    if (first < 0) return false;
    const { bytes } = this.#machine.physical;
    if ((lo & 0xfff) + length <= PAGE) {
      copy(bytes, first, dst, offset, length);
      return true;
    }
    // All pages first: a faulting read leaves the destination untouched.
    if (!this.#allMapped(lo, hi, length, Access.READ, user)) return false;
    for (let done = 0; done < length;) {
      const [at, room] = this.#piece(lo, hi, done, length, user);
      copy(bytes, at, dst, offset + done, room);
      done += room;
    }
    return true;
  }

  #write(
    lo: number,
    hi: number,
    src: Uint8Array,
    offset: number,
    length: number,
    access: number,
    user: boolean,
  ): boolean {
    if (length === 0) return true;
    const { physical } = this.#machine;
    if (length <= SHORT && (lo & 0xfff) + length <= PAGE) {
      const at = this.#translate(lo, hi, access, user);
      if (at < 0) return false;
      copy(src, offset, physical.bytes, at, length);
      physical.invalidateRange(at, length);
      return true;
    }
    if (!this.#allMapped(lo, hi, length, access, user)) return false;
    for (let done = 0; done < length;) {
      const [at, room] = this.#piece(lo, hi, done, length, user);
      physical.write(at, src.subarray(offset + done, offset + done + room));
      done += room;
    }
    return true;
  }

  #allMapped(lo: number, hi: number, length: number, access: number, user: boolean): boolean {
    for (let done = 0; done < length; done += PAGE - ((lo + done) & 0xfff)) {
      const sum = (lo >>> 0) + done;
      if (this.#translate(sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi, access, user) < 0) return false;
    }
    return true;
  }

  /** Physical address and length of what lies in one page, `done` bytes into the range. */
  #piece(lo: number, hi: number, done: number, length: number, user: boolean): [number, number] {
    const sum = (lo >>> 0) + done;
    const at = this.#translate(sum | 0, sum > 0xffff_ffff ? (hi + 1) | 0 : hi, Access.READ, user);
    return [at, Math.min(length - done, PAGE - (sum & 0xfff))];
  }
}

function copy(from: Uint8Array, at: number, to: Uint8Array, offset: number, length: number): void {
  if (length > SHORT) {
    to.set(from.subarray(at, at + length), offset);
    return;
  }
  for (let i = 0; i < length; i++) to[offset + i] = from[at + i];
}
