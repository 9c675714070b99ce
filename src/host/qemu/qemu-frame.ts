import { PtRegs, type PtRegsLayout } from '../../arch/index.js';
import { u64 } from '../../base/index.js';
import type { TrapFrame } from '../index.js';
import { type GuestMemory, NO_PAGE, PageAccess, type RamView } from '../guest/index.js';

const PAGE = 4096;

interface Words {
  readonly start: number;
  readonly end: number;
  readonly words: Int32Array;
}

/** The frame handed to the trap handler; one object for all traps of a host. */
export class QemuTrapFrame implements TrapFrame {
  cpu = 0;
  kind: TrapFrame['kind'] = 'breakpoint';
  user = false;
  readonly regs: PtRegs;

  constructor(layout: PtRegsLayout) {
    this.regs = new PtRegs(layout);
  }
}

/**
 * Registers that lie as `struct pt_regs` in the guest's memory. Where that is mapped into this process and one page holds
 * them, the view is on those very bytes; otherwise on a copy that goes back afterwards. The address is translated for each
 * trap: kernel stacks are vmalloc memory, whose pages move.
 */
export class FrameInMemory {
  readonly #memory: GuestMemory;
  readonly #views: readonly Words[];
  readonly #own: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #before: Uint8Array;
  #lo = 0;
  #hi = 0;
  #copied = false;

  constructor(layout: PtRegsLayout, memory: GuestMemory, views: readonly RamView[]) {
    this.#memory = memory;
    this.#views = views.map(({ start, bytes }) => ({
      start,
      end: start + bytes.byteLength,
      words: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2),
    }));
    this.#own = new Int32Array(layout.size >> 2);
    this.#bytes = new Uint8Array(this.#own.buffer);
    this.#before = new Uint8Array(layout.size);
  }

  /** Puts `regs` on the registers at `lo:hi`. False: they cannot be read. */
  open(regs: PtRegs, lo: number, hi: number): boolean {
    const size = this.#bytes.length;
    this.#copied = (lo & (PAGE - 1)) + size > PAGE || this.#views.length === 0;
    if (!this.#copied) {
      const { tables, roots } = this.#memory;
      const at = tables.translate(roots.kernel(), lo, hi, PageAccess.read);
      if (at === NO_PAGE) return false;
      for (const { start, end, words } of this.#views) {
        if (at < start || at + size > end) continue;
        regs.words = words;
        regs.base = (at - start) >> 2;
        return true;
      }
      this.#copied = true;
    }
    this.#lo = lo;
    this.#hi = hi;
    if (!this.#memory.readKernel(lo, hi, this.#bytes, 0, size)) return false;
    this.#before.set(this.#bytes);
    regs.words = this.#own;
    regs.base = 0;
    return true;
  }

  /** Writes back what was changed in a copy. */
  close(): void {
    if (!this.#copied) return;
    const bytes = this.#bytes;
    for (let at = 0; at < bytes.length; at += 8) {
      if (this.#same(at)) continue;
      const low = (this.#lo >>> 0) + at;
      this.#memory.writeKernel(low | 0, (this.#hi + Math.floor(low / 2 ** 32)) | 0, bytes, at, 8);
    }
  }

  #same(at: number): boolean {
    for (let i = at; i < at + 8; i++) if (this.#bytes[i] !== this.#before[i]) return false;
    return true;
  }
}

/** The 64-bit word at a kernel address, or null: a fault. */
export function readWord(memory: GuestMemory, address: bigint): bigint | null {
  const bytes = new Uint8Array(8);
  const lo = Number(BigInt.asIntN(32, address));
  const hi = Number(BigInt.asIntN(32, address >> 32n));
  if (!memory.readKernel(lo, hi, bytes, 0, 8)) return null;
  const words = new DataView(bytes.buffer);
  return u64(words.getInt32(0, true), words.getInt32(4, true));
}
