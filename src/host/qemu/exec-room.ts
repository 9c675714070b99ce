import { BpfError, hex64, hi32, lo32, roundUp } from '../../base/index.js';
import { type GuestMemory, type GuestRam, NO_PAGE } from '../guest/index.js';
import type { CpuRegisters } from './rsp/cpu-registers.js';
import type { RoomArch } from './traps/trap-arch.js';

const UNIT = 16;
const PAGE = 4096;

/** Executable memory of the guest that nobody else uses. */
export interface ExecRoom {
  readonly address: bigint;
  readonly size: number;
}

/** Physical memory that the guest's kernel was told to keep its hands off. */
export interface PhysicalRoom {
  readonly address: number;
  readonly size: number;
}

/**
 * Makes one large page of kernel space, within reach of `text`, out of physical memory that the guest does not use: an entry
 * in the kernel's own tables, which all address spaces share. What was absent is in no TLB, so nothing has to be flushed.
 * ENOMEM where there is no such page left, or the memory is not enough.
 */
export function mapExecRoom(
  arch: RoomArch,
  cpu: CpuRegisters,
  memory: GuestMemory,
  room: PhysicalRoom,
  text: bigint,
): ExecRoom {
  const { pageBytes } = arch;
  const start = roundUp(room.address, pageBytes);
  if (start + pageBytes > room.address + room.size) throw noRoom(room, `it holds no aligned ${pageBytes >> 20} MiB`);
  const walk: Walk = {
    arch,
    ram: memory.ram,
    root: memory.roots.kernel(),
    upperShifts: arch.upperShifts(cpu),
    spare: { next: start + pageBytes, end: room.address + room.size },
  };
  // Where tables are there is looked first.
  for (const makesTables of arch.table === undefined ? [false] : [false, true]) {
    for (const address of arch.candidates(text)) {
      if (memory.physical(lo32(address), hi32(address)) === start) return { address, size: pageBytes };
      const at = entryOf(walk, address, makesTables);
      if (at === NO_PAGE || !arch.isEmpty(memory.ram.word(at) | 0, memory.ram.word(at + 4) | 0)) continue;
      writeEntry(memory.ram, at, arch.entry(start));
      if (memory.physical(lo32(address), hi32(address)) === start) return { address, size: pageBytes };
      writeEntry(memory.ram, at, [0, 0]);
      throw noRoom(room, `the guest's tables do not take the mapping at ${hex64(address)}`);
    }
  }
  throw noRoom(room, `no address is free near its text at ${hex64(text)}`);
}

/** A way down a guest's page tables. */
interface Walk {
  readonly arch: RoomArch;
  readonly ram: GuestRam;
  readonly root: number;
  readonly upperShifts: readonly number[];
  /** Physical memory for tables. */
  readonly spare: { next: number; readonly end: number };
}

/** Where the entry of a large page at `address` stands, or `NO_PAGE` where no table would hold it and none is made. */
function entryOf(walk: Walk, address: bigint, makesTables: boolean): number {
  const bits = Math.log2(walk.arch.pageBytes);
  let table = walk.root;
  for (const shift of walk.upperShifts) {
    const at = table + Number((address >> BigInt(shift)) & 511n) * 8;
    const [lo, hi] = [walk.ram.word(at), walk.ram.word(at + 4)];
    if (lo < 0 || hi < 0) return NO_PAGE;
    const isAbsent = walk.arch.isEmpty(lo | 0, hi | 0);
    table = isAbsent && makesTables ? newTable(walk, at) : walk.arch.nextTable(lo | 0, hi | 0);
    if (table < 0) return NO_PAGE;
  }
  return table + Number((address >> BigInt(bits)) & 511n) * 8;
}

/** An empty table, which the entry at `at` leads to; `NO_PAGE` where there is no memory for one. */
function newTable({ arch, ram, spare }: Walk, at: number): number {
  const table = spare.next;
  if (arch.table === undefined || table + PAGE > spare.end) return NO_PAGE;
  if (!ram.write(table, new Uint8Array(PAGE), 0, PAGE)) return NO_PAGE;
  spare.next += PAGE;
  writeEntry(ram, at, arch.table(table));
  return table;
}

function writeEntry(ram: GuestRam, at: number, [lo, hi]: readonly [number, number]): void {
  const bytes = new Uint8Array(8);
  const words = new DataView(bytes.buffer);
  words.setInt32(0, lo, true);
  words.setInt32(4, hi, true);
  ram.write(at, bytes, 0, 8);
}

function noRoom(room: PhysicalRoom, remedy: string): BpfError {
  return new BpfError('ENOMEM', 'making room for probes in the guest', {
    value: `physical 0x${room.address.toString(16)}, ${room.size} bytes`,
    remedy,
  });
}

/** Gives out pieces of executable memory: whole pages from page boundaries, smaller ones from 16-byte boundaries. */
export class ExecAllocator {
  readonly #start: bigint;
  readonly #used: Uint8Array;

  constructor({ address, size }: ExecRoom) {
    this.#start = address;
    this.#used = new Uint8Array(Math.floor(size / UNIT));
  }

  holds(address: bigint, size: number): boolean {
    const offset = address - this.#start;
    return offset >= 0n && offset + BigInt(size) <= BigInt(this.#used.length * UNIT);
  }

  /** Whether all of the range was given out and not given back. */
  gaveOut(address: bigint, size: number): boolean {
    if (!this.holds(address, size)) return false;
    const offset = Number(address - this.#start);
    return !this.#used.subarray(Math.floor(offset / UNIT), Math.ceil((offset + size) / UNIT)).includes(0);
  }

  allocate(size: number): bigint | null {
    const units = Math.ceil(size / UNIT);
    if (units < 1 || !Number.isSafeInteger(units)) return null;
    const step = size % PAGE === 0 ? PAGE / UNIT : 1;
    for (let first = 0; first + units <= this.#used.length; first += step) {
      if (this.#used.subarray(first, first + units).includes(1)) continue;
      this.#used.fill(1, first, first + units);
      return this.#start + BigInt(first * UNIT);
    }
    return null;
  }

  free(address: bigint, size: number): void {
    if (!this.holds(address, size)) return;
    const first = Number(address - this.#start) / UNIT;
    this.#used.fill(0, first, first + Math.ceil(size / UNIT));
  }
}
