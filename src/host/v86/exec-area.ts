import { BpfError } from '../../base/index.js';
import type { V86Ram } from './v86-ram.js';

const PAGE = 4096;
/** Upper memory between the VGA BIOS and SeaBIOS, where cards of a real PC have their ROMs. */
const START = 0xd_0000;
const END = 0xe_0000;
/** Marks an area that is kscope's own, in a machine that was saved. */
const MARK = new TextEncoder().encode('kscope: probes  ');

/**
 * Memory of our own to run code from: 64 KiB that the firmware leaves empty, that Linux maps where it maps all low
 * memory, executable, and never hands out. The first page is for the stub, the others are given away.
 */
export class ExecArea {
  /** Virtual address of the first byte. */
  readonly start: number;
  readonly end: number;
  readonly #free: number[] = [];

  /** `base`: where the kernel maps physical address 0. EBUSY where something else lies there. */
  constructor(ram: V86Ram, base: number) {
    this.start = base + START;
    this.end = base + END;
    checkUnused(ram);
    ram.write(START, MARK, 0, MARK.length);
    for (let page = this.end - PAGE; page > this.start; page -= PAGE) this.#free.push(page);
  }

  /** Virtual address of the stub. */
  get stub(): number {
    return this.start + 64;
  }

  /** Virtual address of the byte that hijacked returns are sent to. */
  get trampoline(): number {
    return this.start + 32;
  }

  holds(address: number): boolean {
    return address >= this.start && address < this.end;
  }

  /** A run of whole pages, or null. */
  allocate(bytes: number): number | null {
    const pages = Math.ceil(bytes / PAGE);
    const free = new Set(this.#free);
    const first = this.#free.find((page) => {
      for (let i = 0; i < pages; i++) if (!free.has(page + i * PAGE)) return false;
      return pages > 0;
    });
    if (first === undefined) return null;
    this.#free.splice(0, this.#free.length, ...this.#free.filter((page) => !within(page, first, pages)));
    return first;
  }

  /** Gives back what `allocate` answered. */
  free(address: number, bytes: number): void {
    for (let i = 0; i < Math.ceil(bytes / PAGE); i++) this.#free.push(address + i * PAGE);
  }
}

function within(page: number, first: number, pages: number): boolean {
  return page >= first && page < first + pages * PAGE;
}

function checkUnused(ram: V86Ram): void {
  const found = new Uint8Array(END - START);
  ram.read(START, found, 0, found.length);
  if (MARK.every((byte, i) => found[i] === byte)) return;
  const used = found.findIndex((byte) => byte !== 0);
  if (used < 0) return;
  throw new BpfError('EBUSY', 'looking for memory to run displaced instructions from', {
    offset: START + used,
    value: `0x${found[used].toString(16)}`,
    remedy: 'the machine has an option ROM there; start it without',
  });
}
