import type { BpfMemory } from '../memory/bpf-memory.js';
import { HashElem } from './map-layout.js';

/**
 * The LRU lists of a hash map, in BpfMemory (kernel/bpf/bpf_lru_list.c, Linux 6.18). A list head is a
 * cell of 16 bytes with its links at the same offsets as an element's. One global set of lists (active,
 * inactive, free) is fed by per-CPU ones (free, pending); with BPF_F_NO_COMMON_LRU every CPU has a
 * set of its own and no local lists.
 */
export const LruType = { active: 0, inactive: 1, free: 2, localFree: 3, localPending: 4 } as const;

const CELL = 16;
/** State of one set: three list heads, two counts, the rotation cursor. */
export const LruSet = {
  active: 0,
  inactive: CELL,
  free: 2 * CELL,
  counts: 3 * CELL,
  cursor: 3 * CELL + 8,
  size: 64,
} as const;
/** State of one CPU: two list heads, the CPU to steal from next. */
export const LruLocal = { free: 0, pending: CELL, nextSteal: 2 * CELL, size: 48 } as const;

const LOCAL_SCANS = 128;
const MAX_LOCAL_FREE = 128;
const PERCPU_SCANS = 4;
const PERCPU_FREE = 4;

export interface LruOptions {
  readonly memory: BpfMemory;
  /** `LruList.stateSize` bytes, zeroed. */
  readonly state: number;
  readonly cpus: number;
  /** BPF_F_NO_COMMON_LRU */
  readonly perCpuLists: boolean;
  readonly elements: number;
  readonly stride: number;
  readonly count: number;
  /** Takes an element out of its bucket; false if it was not in there. */
  readonly unlink: (elem: number) => boolean;
}

export class LruList {
  readonly #memory: BpfMemory;
  readonly #sets: number;
  readonly #locals: number;
  readonly #cpus: number;
  readonly #perCpuLists: boolean;
  readonly #scans: number;
  readonly #freeTarget: number;
  readonly #unlink: (elem: number) => boolean;

  constructor(options: LruOptions) {
    const { memory, state, cpus, perCpuLists, count } = options;
    this.#memory = memory;
    this.#sets = state;
    this.#locals = state + LruSet.size * (perCpuLists ? cpus : 1);
    this.#cpus = cpus;
    this.#perCpuLists = perCpuLists;
    this.#unlink = options.unlink;
    this.#scans = perCpuLists ? PERCPU_SCANS : LOCAL_SCANS;
    this.#freeTarget = Math.min(Math.max(Math.trunc(Math.trunc(count / cpus) / 2), 1), MAX_LOCAL_FREE);
    this.#initialize();
    this.#populate(options);
  }

  static stateSize(cpus: number): number {
    return (LruSet.size + LruLocal.size) * cpus;
  }

  /** Notes that a program has looked the element up. */
  reference(elem: number): void {
    this.#memory.u8[elem + HashElem.lruRef] = 1;
  }

  /** An element for a new key on `cpu`, evicting where none is free; 0 if even that fails. */
  take(cpu: number): number {
    return this.#perCpuLists ? this.#takeFromSet(cpu) : this.#takeLocal(cpu);
  }

  /** Gives back an element that is in no bucket any more. */
  give(elem: number): void {
    const cpu = this.#memory.view.getUint16(elem + HashElem.lruCpu, true);
    if (this.#perCpuLists) {
      this.#move(this.#sets + cpu * LruSet.size, elem, LruType.free);
    } else if (this.#type(elem) === LruType.localPending) {
      this.#place(elem, this.#local(cpu) + LruLocal.free, LruType.localFree);
    } else {
      this.#move(this.#sets, elem, LruType.free);
    }
  }

  #initialize(): void {
    const sets = this.#perCpuLists ? this.#cpus : 1;
    for (let i = 0; i < sets; i++) {
      const set = this.#sets + i * LruSet.size;
      for (const list of [LruSet.active, LruSet.inactive, LruSet.free]) this.#empty(set + list);
      this.#setWord(set + LruSet.cursor, set + LruSet.inactive);
    }
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      this.#empty(this.#local(cpu) + LruLocal.free);
      this.#empty(this.#local(cpu) + LruLocal.pending);
      this.#setWord(this.#local(cpu) + LruLocal.nextSteal, cpu);
    }
  }

  #populate(options: LruOptions): void {
    const share = Math.trunc(options.count / this.#cpus);
    for (let i = 0; i < options.count; i++) {
      const elem = options.elements + i * options.stride;
      const cpu = this.#perCpuLists ? Math.min(Math.trunc(i / share), this.#cpus - 1) : 0;
      this.#memory.view.setUint16(elem + HashElem.lruCpu, cpu, true);
      this.#memory.u8[elem + HashElem.lruType] = LruType.free;
      this.#insert(elem, this.#sets + cpu * LruSet.size + LruSet.free);
    }
  }

  #takeFromSet(cpu: number): number {
    const set = this.#sets + cpu * LruSet.size;
    const free = set + LruSet.free;
    this.#rotate(set);
    if (this.#isEmpty(free)) this.#shrink(set, PERCPU_FREE, free, LruType.free);
    if (this.#isEmpty(free)) return 0;
    const elem = this.#next(free);
    this.#move(set, elem, LruType.inactive);
    return elem;
  }

  #takeLocal(cpu: number): number {
    const local = this.#local(cpu);
    let elem = this.#popFree(local);
    if (elem === 0) {
      this.#refill(local);
      elem = this.#popFree(local);
    }
    if (elem === 0) elem = this.#steal(local);
    if (elem !== 0) this.#addPending(elem, local, cpu);
    return elem;
  }

  #addPending(elem: number, local: number, cpu: number): void {
    this.#memory.view.setUint16(elem + HashElem.lruCpu, cpu, true);
    this.#memory.u8[elem + HashElem.lruType] = LruType.localPending;
    this.#memory.u8[elem + HashElem.lruRef] = 0;
    this.#insert(elem, local + LruLocal.pending);
  }

  #popFree(local: number): number {
    const elem = this.#next(local + LruLocal.free);
    if (elem === local + LruLocal.free) return 0;
    this.#remove(elem);
    return elem;
  }

  /** Moves pending elements to the global lists and a batch of free ones from there to the CPU. */
  #refill(local: number): void {
    const set = this.#sets;
    this.#flush(set, local);
    this.#rotate(set);
    let moved = 0;
    for (let elem = this.#next(set + LruSet.free); elem !== set + LruSet.free && moved < this.#freeTarget; moved++) {
      const next = this.#next(elem);
      this.#moveToFree(set, elem, local + LruLocal.free, LruType.localFree);
      elem = next;
    }
    if (moved < this.#freeTarget) this.#shrink(set, this.#freeTarget - moved, local + LruLocal.free, LruType.localFree);
  }

  #flush(set: number, local: number): void {
    const pending = local + LruLocal.pending;
    for (let elem = this.#prev(pending); elem !== pending;) {
      const prev = this.#prev(elem);
      const type = this.#isReferenced(elem) ? LruType.active : LruType.inactive;
      this.#count(set, type, 1);
      this.#memory.u8[elem + HashElem.lruRef] = 0;
      this.#place(elem, this.#head(set, type), type);
      elem = prev;
    }
  }

  /** Round robin over the CPUs, from the one after the last victim. */
  #steal(local: number): number {
    const first = this.#word(local + LruLocal.nextSteal);
    let victim = first;
    let elem = 0;
    do {
      const other = this.#local(victim);
      elem = this.#popFree(other);
      if (elem === 0) elem = this.#popPending(other);
      victim = (victim + 1) % this.#cpus;
    } while (elem === 0 && victim !== first);
    this.#setWord(local + LruLocal.nextSteal, victim);
    return elem;
  }

  /** The oldest pending element without reference, or failing that the oldest. */
  #popPending(local: number): number {
    const pending = local + LruLocal.pending;
    for (const force of [false, true]) {
      for (let elem = this.#prev(pending); elem !== pending; elem = this.#prev(elem)) {
        if ((force || !this.#isReferenced(elem)) && this.#unlink(elem)) {
          this.#remove(elem);
          return elem;
        }
      }
    }
    return 0;
  }

  #rotate(set: number): void {
    const counts = set + LruSet.counts;
    if (this.#word(counts + 4 * LruType.inactive) < this.#word(counts + 4 * LruType.active)) this.#rotateActive(set);
    this.#rotateInactive(set);
  }

  /** From the tail: a referenced element gets another round, the others become inactive. */
  #rotateActive(set: number): void {
    const active = set + LruSet.active;
    const first = this.#next(active);
    let elem = this.#prev(active);
    for (let scanned = 0; elem !== active && scanned < this.#scans; scanned++) {
      const prev = this.#prev(elem);
      this.#move(set, elem, this.#isReferenced(elem) ? LruType.active : LruType.inactive);
      if (elem === first) break;
      elem = prev;
    }
  }

  /** From the cursor towards the head: referenced elements become active. */
  #rotateInactive(set: number): void {
    const inactive = set + LruSet.inactive;
    if (this.#isEmpty(inactive)) return;
    const cursor = this.#word(set + LruSet.cursor);
    let last = this.#next(cursor);
    if (last === inactive) last = this.#next(last);
    let here = cursor;
    let next = inactive;
    for (let scanned = 0; scanned < this.#scans;) {
      if (here === inactive) {
        here = this.#prev(here);
        continue;
      }
      next = this.#prev(here);
      if (this.#isReferenced(here)) this.#move(set, here, LruType.active);
      if (here === last) break;
      here = next;
      scanned++;
    }
    this.#setWord(set + LruSet.cursor, next);
  }

  /** Frees up to `wanted` inactive elements; if none can be had so, one by force. */
  #shrink(set: number, wanted: number, list: number, type: number): void {
    if (this.#shrinkInactive(set, wanted, list, type) > 0) return;
    const victims = set + (this.#isEmpty(set + LruSet.inactive) ? LruSet.active : LruSet.inactive);
    for (let elem = this.#prev(victims); elem !== victims; elem = this.#prev(elem)) {
      if (!this.#unlink(elem)) continue;
      this.#moveToFree(set, elem, list, type);
      return;
    }
  }

  #shrinkInactive(set: number, wanted: number, list: number, type: number): number {
    const inactive = set + LruSet.inactive;
    let freed = 0;
    let elem = this.#prev(inactive);
    for (let scanned = 0; elem !== inactive && scanned < this.#scans && freed < wanted; scanned++) {
      const prev = this.#prev(elem);
      if (this.#isReferenced(elem)) {
        this.#move(set, elem, LruType.active);
      } else if (this.#unlink(elem)) {
        this.#moveToFree(set, elem, list, type);
        freed++;
      }
      elem = prev;
    }
    return freed;
  }

  /** Between the lists of one set; clears the reference. */
  #move(set: number, elem: number, type: number): void {
    const from = this.#type(elem);
    if (from !== type) {
      this.#count(set, from, -1);
      this.#count(set, type, 1);
    }
    this.#memory.u8[elem + HashElem.lruRef] = 0;
    this.#stepCursor(set, elem);
    this.#place(elem, this.#head(set, type), type);
  }

  #moveToFree(set: number, elem: number, list: number, type: number): void {
    this.#stepCursor(set, elem);
    this.#count(set, this.#type(elem), -1);
    this.#place(elem, list, type);
  }

  #stepCursor(set: number, elem: number): void {
    if (this.#word(set + LruSet.cursor) === elem) this.#setWord(set + LruSet.cursor, this.#prev(elem));
  }

  #count(set: number, type: number, change: number): void {
    if (type > LruType.inactive) return;
    const at = set + LruSet.counts + 4 * type;
    this.#setWord(at, this.#word(at) + change);
  }

  #place(elem: number, list: number, type: number): void {
    this.#remove(elem);
    this.#memory.u8[elem + HashElem.lruType] = type;
    this.#insert(elem, list);
  }

  #insert(elem: number, list: number): void {
    const first = this.#next(list);
    this.#setWord(elem + HashElem.lruNext, first);
    this.#setWord(elem + HashElem.lruPrev, list);
    this.#setWord(first + HashElem.lruPrev, elem);
    this.#setWord(list + HashElem.lruNext, elem);
  }

  #remove(elem: number): void {
    const next = this.#next(elem);
    const prev = this.#prev(elem);
    this.#setWord(prev + HashElem.lruNext, next);
    this.#setWord(next + HashElem.lruPrev, prev);
  }

  #empty(list: number): void {
    this.#setWord(list + HashElem.lruNext, list);
    this.#setWord(list + HashElem.lruPrev, list);
  }

  #isEmpty(list: number): boolean {
    return this.#next(list) === list;
  }

  #isReferenced(elem: number): boolean {
    return this.#memory.u8[elem + HashElem.lruRef] !== 0;
  }

  #head(set: number, type: number): number {
    return set + CELL * type;
  }

  #local(cpu: number): number {
    return this.#locals + cpu * LruLocal.size;
  }

  #type(elem: number): number {
    return this.#memory.u8[elem + HashElem.lruType];
  }

  #next(elem: number): number {
    return this.#word(elem + HashElem.lruNext);
  }

  #prev(elem: number): number {
    return this.#word(elem + HashElem.lruPrev);
  }

  #word(offset: number): number {
    return this.#memory.u32[offset >>> 2];
  }

  #setWord(offset: number, value: number): void {
    this.#memory.u32[offset >>> 2] = value;
  }
}
