import type { ArchProbing, RelocateInsn } from '../arch/index.js';
import { BpfError, hi32, lo32, roundUp } from '../base/index.js';
import type { HostText } from '../host/index.js';
import type { InsnSlot } from './kprobe-point.js';
import type { TextReader } from './text-reader.js';

const PAGE = 4096;

interface SlotPage {
  readonly address: bigint;
  /** Free slots by index. */
  readonly free: number[];
}

/** Hands out instruction slots from executable pages; a page without slots in use goes back to the host. */
export class SlotCache {
  readonly #text: HostText;
  readonly #probing: ArchProbing;
  readonly #reader: TextReader;
  readonly #slotSize: number;
  readonly #perPage: number;
  #pages: SlotPage[] = [];

  constructor(text: HostText, probing: ArchProbing, reader: TextReader) {
    this.#text = text;
    this.#probing = probing;
    this.#reader = reader;
    const longest = probing.maxInsnLength + probing.slotBreakpoint(probing.maxInsnLength).length;
    this.#slotSize = roundUp(longest, 16);
    this.#perPage = Math.floor(PAGE / this.#slotSize);
  }

  /** A slot that holds a displaced instruction, which `relocate` gives, and a breakpoint. `where` is for messages. */
  place(relocate: RelocateInsn, where: string): InsnSlot {
    const address = this.#take(where);
    const moved = relocate(address);
    if (moved === null) {
      this.release(address);
      throw new BpfError('EINVAL', `placing a probe at ${where}`, {
        remedy: 'its operand is addressed relative to the pc and out of reach from a slot',
      });
    }
    if (!this.#reader.overwrite(this.#text, address, this.#withBreakpoint(moved))) {
      this.release(address);
      throw new BpfError('EIO', `writing the slot of a probe at ${where}`, {
        remedy: 'the host refused to write the executable memory that it gave out',
      });
    }
    const end = address + BigInt(moved.length);
    return { address, lo: lo32(address), hi: hi32(address), endLo: lo32(end), endHi: hi32(end) };
  }

  release(address: bigint): void {
    const page = this.#pages.find((p) => address >= p.address && address < p.address + BigInt(PAGE));
    if (page === undefined) return;
    page.free.push(Number(address - page.address) / this.#slotSize);
    if (page.free.length < this.#perPage) return;
    this.#pages = this.#pages.filter((other) => other !== page);
    this.#text.freeExec(page.address, PAGE);
  }

  #withBreakpoint(insn: Uint8Array): Uint8Array {
    const breakpoint = this.#probing.slotBreakpoint(insn.length);
    const bytes = new Uint8Array(insn.length + breakpoint.length);
    bytes.set(insn);
    bytes.set(breakpoint, insn.length);
    return bytes;
  }

  #take(where: string): bigint {
    const page = this.#pages.find((p) => p.free.length > 0) ?? this.#addPage(where);
    return page.address + BigInt((page.free.pop() as number) * this.#slotSize);
  }

  #addPage(where: string): SlotPage {
    const address = this.#text.allocExec(PAGE);
    if (address === null) {
      throw new BpfError('ENOMEM', `placing a probe at ${where}`, {
        remedy: 'the host has no executable memory left for displaced instructions',
      });
    }
    const page = { address, free: Array.from({ length: this.#perPage }, (_, i) => this.#perPage - 1 - i) };
    this.#pages.push(page);
    return page;
  }
}
