import type { AccessRegion } from '../access-region.js';
import { AttachmentBlock } from '../attachment-block.js';
import { BPF_MEMORY_HI, type BpfMemory } from '../memory/bpf-memory.js';
import type { BpfRunCtx } from '../run-context.js';
import { EMPTY_WINDOW_HI, LEAST_WINDOW, StateLayout } from './state-layout.js';

const EVENT_FIELDS = [StateLayout.frameLimit, StateLayout.cpu, StateLayout.context, StateLayout.attachment];
const TWO_32 = 0x1_0000_0000;
const NO_PACKET: AccessRegion = { start: 0, end: 0, stride: 0, size: 0, writable: false };

/** The JavaScript side of a program's state area. */
export class SharedState {
  readonly at: number;
  readonly #memory: BpfMemory;
  readonly #word: number;
  /** Whether the windows may show anything but what a run starts with. */
  #windowsMoved = true;
  /** The packet that the windows show when a run starts; a size of 0: none. */
  #start = 0;
  #size = 0;
  #writable = false;

  constructor(memory: BpfMemory) {
    this.#memory = memory;
    this.at = memory.alloc(StateLayout.size);
    this.#word = this.at >>> 2;
  }

  get(field: number): number {
    return this.#memory.i32[this.#word + (field >>> 2)];
  }

  set(field: number, value: number): void {
    this.#memory.i32[this.#word + (field >>> 2)] = value;
  }

  get budget(): number {
    return this.#long(StateLayout.budget);
  }

  get loopReserve(): number {
    return this.#long(StateLayout.loopReserve);
  }

  set budget(value: number) {
    this.#setLong(StateLayout.budget, value);
  }

  /** A run begins to count: may_goto leaves half of the budget. */
  beginBudget(budget: number): void {
    this.#setLong(StateLayout.budget, budget);
    this.#setLong(StateLayout.loopReserve, budget / 2);
  }

  setRegisters(from: Int32Array): void {
    this.#memory.i32.set(from.subarray(0, 22), this.#word + (StateLayout.registers >>> 2));
  }

  copyRegisters(to: Int32Array): void {
    const word = this.#word + (StateLayout.registers >>> 2);
    to.set(this.#memory.i32.subarray(word, word + 22));
  }

  registers(): bigint[] {
    const { view } = this.#memory;
    return Array.from({ length: 11 }, (_, r) => view.getBigUint64(this.at + StateLayout.registers + 8 * r, true));
  }

  /** A run begins on `ctx`: the packet of a networking program is what it will most likely look at. */
  beginWindows(run: BpfRunCtx, ctx: number): void {
    this.set(StateLayout.context, ctx);
    const { extraRegions: regions } = run;
    const packet = regions.length === 0 ? NO_PACKET : packetAmong(regions, run.packetStart);
    const { start, size, writable } = packet;
    // The same packet buffer serves run after run.
    if (!this.#windowsMoved && start === this.#start && size === this.#size && writable === this.#writable) return;
    this.#start = start;
    this.#size = size;
    this.#writable = writable;
    this.#windowsMoved = true;
    this.resetWindows();
    this.#setWindow(StateLayout.packetRead, start, size);
    this.#setWindow(StateLayout.packetWrite, start, writable ? size : 0);
  }

  /** After anything that may have taken a region away. */
  resetWindows(): void {
    if (!this.#windowsMoved) return;
    this.#windowsMoved = false;
    this.#setWindow(StateLayout.readWindow, this.#start, this.#size);
    this.#setWindow(StateLayout.writeWindow, this.#start, this.#writable ? this.#size : 0);
  }

  moveWindow(write: boolean, start: number, end: number): void {
    if (end - start < LEAST_WINDOW) return;
    this.#windowsMoved = true;
    this.#setWindow(write ? StateLayout.writeWindow : StateLayout.readWindow, start, end - start);
  }

  /** What `AttachmentBlock` holds of a hit, for a run that may be none. */
  setOwnAttachment(run: BpfRunCtx): void {
    const { i32 } = this.#memory;
    const word = this.#word + StateLayout.ownAttachment / 4;
    i32[word + AttachmentBlock.cookie / 4] = run.cookieLo;
    i32[word + AttachmentBlock.cookie / 4 + 1] = run.cookieHi;
    i32[word + AttachmentBlock.funcIp / 4] = run.funcIpLo;
    i32[word + AttachmentBlock.funcIp / 4 + 1] = run.funcIpHi;
  }

  /** What compiled code has noted of a hit; another one may note its own meanwhile. */
  saveEvent(): number[] {
    return EVENT_FIELDS.map((field) => this.get(field));
  }

  restoreEvent(values: readonly number[]): void {
    EVENT_FIELDS.forEach((field, i) => this.set(field, values[i]));
  }

  /** All of the area, for a run that is interrupted by another of the same program. */
  save(): Uint8Array {
    return this.#memory.u8.slice(this.at, this.at + StateLayout.size);
  }

  restore(saved: Uint8Array): void {
    this.#memory.u8.set(saved, this.at);
    this.#windowsMoved = true;
  }

  #long(field: number): number {
    return this.get(field + 4) * TWO_32 + (this.get(field) >>> 0);
  }

  /** May be negative, and a fraction. */
  #setLong(field: number, value: number): void {
    const { i32 } = this.#memory;
    const word = this.#word + (field >>> 2);
    const whole = Math.floor(value);
    i32[word] = whole;
    i32[word + 1] = Math.floor(whole / TWO_32);
  }

  /** A size of 0 makes it empty. */
  #setWindow(field: number, start: number, size: number): void {
    this.set(field, size === 0 ? 0 : start);
    this.set(field + 4, size === 0 ? EMPTY_WINDOW_HI : BPF_MEMORY_HI);
    this.set(field + 8, size === 0 ? LEAST_WINDOW : size);
    this.set(field + 12, 0);
  }
}

function packetAmong(regions: readonly AccessRegion[], start: number): AccessRegion {
  const first = regions[0];
  return first.start === start && first.size >= LEAST_WINDOW ? first : NO_PACKET;
}
