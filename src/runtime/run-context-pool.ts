import type { AccessRegion } from './access-region.js';
import { CpuBlock, MAX_RECORDS } from './cpu-block.js';
import type { BpfMemory, BpfOffset } from './memory/bpf-memory.js';
import type { BpfRunCtx } from './run-context.js';
import type { Runtime } from './runtime.js';

/** Runs that may be under way on one CPU at once: task, softirq, hardirq, NMI. */
export const MAX_NESTING = 4;
/** Bytes of stack per run: 32 frames, what 8 frames of calls and the tail calls from within them may take. */
const STACK_BYTES = 32 * 512;
const SCRATCH_BYTES = 16;
/** From the number of open records to the end of their table. */
const RECORD_WORDS = (CpuBlock.recordTable - CpuBlock.records) / 4 + 2 * MAX_RECORDS;

/**
 * The run contexts of all CPUs, made once: entering and leaving a run allocates nothing. The contexts of one
 * CPU are a stack, so runs must end in the reverse order of their beginning.
 */
export class RunContextPool {
  readonly #contexts: readonly BpfRunCtx[];
  /** One `CpuBlock` per CPU. */
  readonly cpuBlocks: BpfOffset;
  readonly #memory: BpfMemory;
  /** Open ring buffer records of runs that another one has interrupted, by context. */
  readonly #interrupted = new Map<number, Uint32Array>();

  constructor(runtime: Runtime, memory: BpfMemory, cpus: number) {
    this.#memory = memory;
    this.cpuBlocks = memory.alloc(CpuBlock.stride * cpus, CpuBlock.stride);
    this.#contexts = Array.from({ length: cpus * MAX_NESTING }, (_, index) =>
      makeContext(runtime, memory, Math.floor(index / MAX_NESTING)),
    );
    for (let cpu = 0; cpu < cpus; cpu++) this.#setDepth(cpu, 0);
  }

  /** A fresh context, or null where `MAX_NESTING` runs are under way on `cpu`. */
  enter(cpu: number, budget: number): BpfRunCtx | null {
    const depth = this.depth(cpu);
    if (depth === MAX_NESTING) return null;
    this.#setDepth(cpu, depth + 1);
    if (depth > 0) this.#putRecordsAside(cpu, depth - 1);
    const run = this.#contexts[cpu * MAX_NESTING + depth];
    reset(run, budget);
    return run;
  }

  leave(run: BpfRunCtx): void {
    const { cpu } = run;
    const depth = this.depth(cpu) - 1;
    this.#setDepth(cpu, depth);
    if (depth > 0) this.#bringRecordsBack(cpu, depth - 1);
    run.program = null;
    run.regs = null;
  }

  /** Runs under way on `cpu`. */
  depth(cpu: number): number {
    return this.#memory.u32[(this.cpuBlocks + cpu * CpuBlock.stride + CpuBlock.depth) >>> 2];
  }

  /** Tells compiled code too how deep runs are nested, and where the stack of the next one is, if there can be one. */
  #setDepth(cpu: number, depth: number): void {
    const block = (this.cpuBlocks + cpu * CpuBlock.stride) >>> 2;
    const top = depth === MAX_NESTING ? 0 : this.#contexts[cpu * MAX_NESTING + depth].stackStart + STACK_BYTES;
    const { u32 } = this.#memory;
    u32[block + CpuBlock.depth / 4] = depth;
    u32[block + CpuBlock.stackPointer / 4] = top;
  }

  #putRecordsAside(cpu: number, context: number): void {
    const { u32 } = this.#memory;
    const count = this.#recordsWord(cpu);
    if (u32[count] === 0) return;
    this.#interrupted.set(cpu * MAX_NESTING + context, u32.slice(count, count + RECORD_WORDS));
    u32[count] = 0;
  }

  #bringRecordsBack(cpu: number, context: number): void {
    const index = cpu * MAX_NESTING + context;
    const saved = this.#interrupted.get(index);
    if (saved === undefined) return;
    this.#memory.u32.set(saved, this.#recordsWord(cpu));
    this.#interrupted.delete(index);
  }

  #recordsWord(cpu: number): number {
    return (this.cpuBlocks + cpu * CpuBlock.stride + CpuBlock.records) >>> 2;
  }
}

function makeContext(runtime: Runtime, memory: BpfMemory, cpu: number): BpfRunCtx {
  const stackStart = memory.alloc(STACK_BYTES);
  const extraRegions: AccessRegion[] = [];
  return {
    runtime,
    cpu,
    program: null,
    attachment: 0,
    cookieLo: 0,
    cookieHi: 0,
    regs: null,
    funcIpLo: 0,
    funcIpHi: 0,
    resultHi: 0,
    fault: null,
    ctx: 0,
    ctxSize: 0,
    extraRegions,
    reservations: [],
    tailCalls: 0,
    budget: 0,
    packetStart: 0,
    packetEnd: 0,
    macHeader: 0,
    networkHeader: 0,
    stackStart,
    stackPointer: stackStart + STACK_BYTES,
    scratch: memory.alloc(SCRATCH_BYTES),
    seq: null,
    session: null,
    objects: null,
    callback: null,
  };
}

function reset(run: BpfRunCtx, budget: number): void {
  run.attachment = 0;
  run.cookieLo = 0;
  run.cookieHi = 0;
  run.funcIpLo = 0;
  run.funcIpHi = 0;
  run.resultHi = 0;
  run.fault = null;
  run.ctx = 0;
  run.ctxSize = 0;
  // Setting a length costs more than asking for it.
  if (run.extraRegions.length > 0) run.extraRegions.length = 0;
  if (run.reservations.length > 0) run.reservations.length = 0;
  run.tailCalls = 0;
  run.budget = budget;
  run.packetStart = 0;
  run.packetEnd = 0;
  run.macHeader = 0;
  run.networkHeader = 0;
  run.stackPointer = run.stackStart + STACK_BYTES;
  run.seq = null;
  run.objects = null;
  run.session = null;
  run.callback = null;
}
