import type { TraceRecord } from '../host/index.js';
import { ContextSlots, type BpfMemory } from '../runtime/index.js';

/** Bytes of the longest record, common header included (PERF_MAX_TRACE_SIZE). */
export const MAX_RECORD_SIZE = 8192;
/** Bytes of the header that all records begin with. */
export const COMMON_HEADER_SIZE = 8;
/** How deep trace events may nest on a CPU: task, softirq, hardirq and NMI, as in Linux. */
const LEVELS = 4;

/**
 * The record of one hit, in BpfMemory at `start`: 8 bytes {u16 type, u8 flags, u8 preempt_count, s32 pid}, the
 * event's fields, dynamic data. Valid only during the call that hands it over.
 */
export class EventRecord implements TraceRecord {
  data: Uint8Array;
  u16: Uint16Array;
  i32: Int32Array;
  view: DataView;
  readonly start: number;
  length = 0;

  constructor(memory: BpfMemory, start: number) {
    this.data = memory.u8;
    this.u16 = memory.u16;
    this.i32 = memory.i32;
    this.view = memory.view;
    this.start = start;
  }

  /** Memory that has grown is seen through other views. */
  renewViews({ u8, u16, i32, view }: BpfMemory): void {
    this.data = u8;
    this.u16 = u16;
    this.i32 = i32;
    this.view = view;
  }

  /**
   * A record of `size` bytes, zeros behind the header. No host tells its interrupt and preemption state: flags and
   * preempt_count stay 0.
   */
  begin(size: number, type: number, pid: number): void {
    const { i32 } = this;
    const first = this.start >>> 2;
    const end = first + ((size + 3) >>> 2);
    i32[first] = type;
    i32[first + 1] = pid;
    // Records are short: a loop takes less than a call of fill().
    for (let word = first + COMMON_HEADER_SIZE / 4; word < end; word++) i32[word] = 0;
    this.length = size;
  }

  /** A copy of the bytes, for those who keep them. */
  bytes(): Uint8Array {
    return this.data.slice(this.start, this.start + this.length);
  }
}

/** Records under construction, one for each CPU and nesting level. */
export class RecordPool {
  readonly #memory: BpfMemory;
  readonly #slots: ContextSlots;
  readonly #records: readonly EventRecord[];
  readonly #depth: Uint8Array;

  constructor(memory: BpfMemory, cpus: number) {
    this.#memory = memory;
    this.#slots = new ContextSlots(memory, cpus, MAX_RECORD_SIZE, LEVELS);
    this.#records = Array.from(
      { length: cpus * LEVELS },
      (_, i) => new EventRecord(memory, this.#slots.at(Math.floor(i / LEVELS), i % LEVELS)),
    );
    this.#depth = new Uint8Array(cpus);
  }

  /** A record on `cpu`, to be begun and to be given back by `leave`; null when nested too deeply. RangeError for no CPU of the host. */
  enter(cpu: number): EventRecord | null {
    const depth = this.#depth[cpu];
    if (depth === undefined)
      throw new RangeError(`a hit on CPU ${cpu}: the host has CPUs 0 .. ${this.#depth.length - 1}`);
    if (depth === LEVELS) return null;
    this.#depth[cpu] = depth + 1;
    const record = this.#records[cpu * LEVELS + depth];
    if (record.data !== this.#memory.u8) record.renewViews(this.#memory);
    return record;
  }

  leave(cpu: number): void {
    this.#depth[cpu] = this.#depth[cpu] - 1;
  }

  free(): void {
    this.#slots.free();
  }
}
