import type { Host } from '../../host/index.js';
import type { AccessRegion } from '../access-region.js';
import { BPF_MEMORY_HI, type BpfMemory } from '../memory/bpf-memory.js';
import { recordAround } from '../open-records.js';
import type { BpfRunCtx } from '../run-context.js';
import { holds, type MapRegions } from './map-regions.js';
import { RunStopped } from './stop.js';

/** Addresses below are the NULL page. */
const PAGE = 4096;
const TWO_32 = 0x1_0000_0000;
/** Windows hold signed 32-bit offsets; what lies above is found by `readable` and `writable` every time. */
const WINDOW_LIMIT = 0x8000_0000;

/**
 * Decides which bytes of BpfMemory a run may touch. The loop compares an offset with the stack, the context and
 * two windows, the regions last read and written; everything else comes here.
 *
 * Fields are offsets, `end` excluded. An empty window has `end` 0.
 */
export class AccessGuard {
  stackStart = 0;
  stackEnd = 0;
  readStart = 0;
  readEnd = 0;
  writeStart = 0;
  writeEnd = 0;
  /** What can be read of the context. */
  contextStart = 0;
  contextEnd = 0;

  readonly #memory: BpfMemory;
  readonly #host: Host;
  /** What is reached through the program's maps. */
  readonly #maps: MapRegions;
  /** Parts of the context, `start` counting from its first byte. */
  readonly #context: readonly AccessRegion[];
  /** Bytes of the context that can be read. */
  readonly #readable: number;
  readonly #nullReadsZero: boolean;
  #run!: BpfRunCtx;

  constructor(
    memory: BpfMemory,
    host: Host,
    maps: MapRegions,
    context: readonly AccessRegion[],
    nullReadsZero: boolean,
  ) {
    this.#memory = memory;
    this.#host = host;
    this.#maps = maps;
    this.#context = context;
    this.#readable = context.find(({ start }) => start === 0)?.end ?? WINDOW_LIMIT;
    this.#nullReadsZero = nullReadsZero;
  }

  enter(run: BpfRunCtx): void {
    this.#run = run;
    this.contextStart = run.ctx;
    this.contextEnd = run.ctx + Math.min(run.ctxSize, this.#readable);
    this.forget();
  }

  /** Empties the windows: after anything that may have taken a region away. */
  forget(): void {
    this.readEnd = 0;
    this.writeEnd = 0;
  }

  /**
   * Offset at which `size` bytes of `pointer + off` can be read. Bytes of the host are copied to the run's
   * scratch area first; where the host faults they are zero.
   */
  readable(lo: number, hi: number, off: number, size: number): number {
    if (hi !== BPF_MEMORY_HI) return this.#fetch(lo, hi, off, size);
    const at = (lo >>> 0) + off;
    if (this.#inStack(at, size)) return at;
    const region = this.#find(at, size, false);
    if (region === undefined) throw this.#refusal('read', lo, hi, off, size);
    const start = elementStart(region, at);
    if (start + region.size <= WINDOW_LIMIT) {
      this.readStart = start;
      this.readEnd = start + region.size;
    }
    return at;
  }

  /** Offset at which `size` bytes may be written. */
  writable(lo: number, hi: number, off: number, size: number): number {
    const at = (lo >>> 0) + off;
    if (hi !== BPF_MEMORY_HI) throw this.#refusal('write', lo, hi, off, size);
    if (this.#inStack(at, size)) return at;
    const region = this.#find(at, size, true);
    if (region === undefined) throw this.#refusal('write', lo, hi, off, size);
    const start = elementStart(region, at);
    if (start + region.size <= WINDOW_LIMIT) {
      this.writeStart = start;
      this.writeEnd = start + region.size;
    }
    return at;
  }

  /** As `readable` or `writable` for helper arguments: true or false, and nothing of the host's. */
  allows(lo: number, hi: number, size: number, write: boolean): boolean {
    const at = lo >>> 0;
    return hi === BPF_MEMORY_HI && (this.#inStack(at, size) || this.#find(at, size, write) !== undefined);
  }

  /** Atomic operations work on multiples of their size only; a verifier refuses all others. */
  requireAligned(lo: number, hi: number, off: number, size: number): void {
    if (((lo + off) & (size - 1)) === 0) return;
    const address = addressText((lo >>> 0) + off, hi);
    throw new RunStopped(`misaligned atomic access of ${size} bytes at ${address} (off=${off})`);
  }

  #inStack(at: number, size: number): boolean {
    return at >= this.stackStart && at + size <= this.stackEnd;
  }

  #find(at: number, size: number, write: boolean): AccessRegion | undefined {
    const region = this.#maps.find(at, size, write);
    if (region !== undefined) return region;
    for (const extra of this.#run.extraRegions) if (holds(extra, at, size, write)) return extra;
    return this.#findRecord(at, size) ?? this.#findInContext(at, size, write);
  }

  #findRecord(at: number, size: number): AccessRegion | undefined {
    const record = recordAround(this.#run, at, size);
    if (record < 0) return undefined;
    const { u32 } = this.#memory;
    const start = u32[record];
    const length = u32[record + 1];
    return { start, end: start + length, stride: 0, size: length, writable: true };
  }

  #findInContext(at: number, size: number, write: boolean): AccessRegion | undefined {
    const { ctx, ctxSize } = this.#run;
    if (at < ctx || at + size > ctx + ctxSize) return undefined;
    const part = this.#context.find((region) => holds(region, at - ctx, size, write));
    if (part === undefined && (write || this.#context.length > 0)) return undefined;
    const start = part?.start ?? 0;
    const end = Math.min(part?.end ?? ctxSize, ctxSize);
    return { start: ctx + start, end: ctx + end, stride: 0, size: end - start, writable: write };
  }

  #fetch(lo: number, hi: number, off: number, size: number): number {
    const sum = (lo >>> 0) + off;
    const carried = (hi + Math.floor(sum / TWO_32)) | 0;
    const scratch = this.#run.scratch;
    const { u8 } = this.#memory;
    u8.fill(0, scratch, scratch + size);
    if (carried === 0 && sum < PAGE) {
      if (!this.#nullReadsZero) throw this.#refusal('read', lo, hi, off, size);
    } else if (!isEnginePointer(carried)) {
      if (!this.#host.memory.readKernel(sum | 0, carried, u8, scratch, size)) u8.fill(0, scratch, scratch + size);
    } else throw this.#refusal('read', lo, hi, off, size);
    return scratch;
  }

  #refusal(what: string, lo: number, hi: number, off: number, size: number): RunStopped {
    const sum = (lo >>> 0) + off;
    const where = this.#describe(sum, carriedInto(hi, sum), size, what === 'write');
    return new RunStopped(`invalid ${what} of ${size} bytes at ${addressText(sum, hi)} (off=${off}): ${where}`);
  }

  #describe(at: number, hi: number, size: number, write: boolean): string {
    if (hi === 0 && at < PAGE) return 'a NULL pointer';
    if ((hi | 0) === FUNC_POINTER_HI) return 'the address of a function';
    if ((hi | 0) !== BPF_MEMORY_HI) return 'memory of the host';
    if (write && this.#find(at, size, false) !== undefined) return 'read-only memory';
    if (at >= this.stackStart - PAGE && at < this.stackStart) return `below the ${STACK_FRAME}-byte stack frame`;
    return 'outside stack, context, map values and packet';
  }
}

/** Bytes of stack a frame may use (MAX_BPF_STACK). */
export const STACK_FRAME = 512;
/** MAX_CALL_FRAMES. */
export const MAX_FRAMES = 8;
/** High word of the pointers that BPF_PSEUDO_FUNC loads; the low word is the instruction slot. */
export const FUNC_POINTER_HI = 0xffff_fe7f | 0;

/** The high word of an address whose low word has become `sum`, which may be less than 0 or more than 32 bits. */
function carriedInto(hi: number, sum: number): number {
  return (hi + Math.floor(sum / TWO_32)) >>> 0;
}

function addressText(sum: number, hi: number): string {
  return `0x${carriedInto(hi, sum).toString(16)}${(sum >>> 0).toString(16).padStart(8, '0')}`;
}

function isEnginePointer(hi: number): boolean {
  return hi === BPF_MEMORY_HI || hi === FUNC_POINTER_HI;
}

function elementStart(region: AccessRegion, at: number): number {
  return region.stride === 0 ? region.start : at - ((at - region.start) % region.stride);
}
