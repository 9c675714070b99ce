import type { PhysicalMemory } from '../cpu/physical-memory.js';
import type { SeededRandom } from './seeded-random.js';

const SECTOR = 512;
/** Sectors held in one piece of the sparse store. */
const PIECE = 8;
const FIXED_NS = 60_000;
const SEEK_NS = 240_000;
const NS_PER_SECTOR = 400;

/** A request on its way. */
export interface DiskRequest {
  readonly tag: { readonly lo: number; readonly hi: number };
  readonly sector: number;
  readonly bytes: number;
  readonly write: boolean;
  /** Physical address. */
  readonly buffer: number;
  readonly cpu: number;
  /** Virtual time at which it is done. */
  readonly due: number;
}

/** A sparse disk whose requests take a seeded time: fixed cost, distance of the head, transfer. */
export class SimDisk {
  readonly #pieces = new Map<number, Uint8Array>();
  readonly #physical: PhysicalMemory;
  readonly #sectors: number;
  readonly #random: SeededRandom;
  readonly #queue: DiskRequest[] = [];
  /** Told of what reads have put into memory. */
  onRead: ((sector: number, bytes: number, buffer: number) => void) | null = null;
  #head = 0;
  #freeAt = 0;

  constructor(physical: PhysicalMemory, sectors: number, random: SeededRandom) {
    this.#physical = physical;
    this.#sectors = sectors;
    this.#random = random;
  }

  /** Fills the disk before boot. */
  load(sector: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += SECTOR)
      this.#sector(sector + at / SECTOR).set(bytes.subarray(at, at + SECTOR));
  }

  /** Copies what the disk has, `offset` bytes behind the start of `sector`, to `dst`. */
  peek(sector: number, offset: number, dst: Uint8Array): void {
    for (let done = 0; done < dst.length;) {
      const at = offset + done;
      const from = this.#sector(sector + Math.floor(at / SECTOR)).subarray(at % SECTOR);
      const piece = from.subarray(0, dst.length - done);
      dst.set(piece, done);
      done += piece.length;
    }
  }

  /** Time of the next completion, Infinity for none. */
  get nextDue(): number {
    return this.#queue[0]?.due ?? Infinity;
  }

  /**
   * Starts a request: one at a time is served, in the order of arrival. False for one that no disk can carry out:
   * outside of its sectors or of memory, or not of whole sectors.
   */
  submit(request: Omit<DiskRequest, 'due'>, now: number): boolean {
    const { buffer, bytes, sector } = request;
    if (bytes === 0 || bytes % SECTOR !== 0 || buffer + bytes > this.#physical.size) return false;
    if (sector + bytes / SECTOR > this.#sectors) return false;
    const distance = Math.min(1, Math.abs(sector - this.#head) / 100_000);
    const seek = sector === this.#head ? 0 : Math.floor((0.2 + 0.8 * distance) * this.#random.below(SEEK_NS));
    const start = Math.max(now, this.#freeAt);
    const due = start + FIXED_NS + seek + (bytes / SECTOR) * NS_PER_SECTOR;
    this.#freeAt = due;
    this.#head = sector + bytes / SECTOR;
    this.#queue.push({ ...request, due });
    return true;
  }

  /** The request that was due by `now`, its data moved; undefined for none. */
  complete(now: number): DiskRequest | undefined {
    const request = this.#queue[0];
    if (request === undefined || request.due > now) return undefined;
    this.#queue.shift();
    this.#transfer(request);
    return request;
  }

  #transfer(request: DiskRequest): void {
    const { bytes } = this.#physical;
    for (let done = 0; done < request.bytes; done += SECTOR) {
      const sector = this.#sector(request.sector + done / SECTOR);
      const memory = bytes.subarray(request.buffer + done, request.buffer + done + SECTOR);
      if (request.write) sector.set(memory);
      else memory.set(sector);
    }
    if (request.write) return;
    this.#physical.invalidateRange(request.buffer, request.bytes);
    this.onRead?.(request.sector, request.bytes, request.buffer);
  }

  #sector(number: number): Uint8Array {
    const key = Math.floor(number / PIECE);
    let piece = this.#pieces.get(key);
    if (piece === undefined) {
      piece = new Uint8Array(PIECE * SECTOR);
      this.#pieces.set(key, piece);
    }
    const at = (number % PIECE) * SECTOR;
    return piece.subarray(at, at + SECTOR);
  }
}
