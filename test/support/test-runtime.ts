import {
  BpfMemory,
  type BpfOffset,
  type BpfProgram,
  type BpfRunCtx,
  type HitAccount,
  type HitRuns,
  type ProgramFault,
  type Runtime,
} from '../../src/runtime/index.js';
import { CpuBlock } from '../../src/runtime/cpu-block.js';
import type { Host } from '../../src/host/index.js';

/** Makes hits on `cpu` find a tracing program running there, or not. */
export function setTracing(
  { memory, cpuBlocks }: Pick<Runtime, 'memory' | 'cpuBlocks'>,
  cpu: number,
  on: boolean,
): void {
  memory.u32[(cpuBlocks + cpu * CpuBlock.stride + CpuBlock.active) >>> 2] = on ? 1 : 0;
}

/** The body of a program in a unit test: what an engine's `run` would do. */
export type TestProgramBody = (run: BpfRunCtx, ctx: number) => number;

/** A runtime with BPF memory and run contexts, whose programs are functions of the test. */
export class TestRuntime {
  readonly host: Host;
  readonly memory = new BpfMemory();
  readonly cpus: number;
  readonly cpuBlocks: BpfOffset;
  /** What the runtime itself uses of its memory. */
  readonly ownBytes: number;
  readonly attachments = new Map<number, HitRuns>();
  #ids = 0;

  constructor(host: Host) {
    this.host = host;
    this.cpus = host.cpus;
    this.cpuBlocks = this.memory.alloc(CpuBlock.stride * host.cpus, CpuBlock.stride);
    this.ownBytes = this.memory.used;
  }

  /** As the layers under test see it. */
  get runtime(): Runtime {
    return this as unknown as Runtime;
  }

  /** Run contexts that are in use. */
  get open(): number {
    return Array.from({ length: this.cpus }, (_, cpu) => this.depth(cpu)).reduce((sum, depth) => sum + depth, 0);
  }

  enter(cpu: number): BpfRunCtx | null {
    if (this.depth(cpu) === 4) return null;
    this.#setDepth(cpu, this.depth(cpu) + 1);
    return { runtime: this.runtime, cpu, fault: null } as BpfRunCtx;
  }

  depth(cpu: number): number {
    return this.memory.u32[this.#depthWord(cpu)];
  }

  leave(run: BpfRunCtx): void {
    this.#setDepth(run.cpu, this.depth(run.cpu) - 1);
  }

  #setDepth(cpu: number, depth: number): void {
    this.memory.u32[this.#depthWord(cpu)] = depth;
  }

  #depthWord(cpu: number): number {
    return (this.cpuBlocks + cpu * CpuBlock.stride + CpuBlock.depth) >>> 2;
  }

  program(type: number, body: TestProgramBody, name = 'prog'): TestProgram {
    return new TestProgram(++this.#ids, name, type, this.memory.alloc(4 * this.cpus), body);
  }
}

export class TestProgram {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly active: BpfOffset;
  readonly engine: { run: TestProgramBody };
  readonly #accounts = new Set<HitAccount>();
  references = 1;
  /** What was asked for at load. */
  executable = { expectedAttachType: 0 };

  constructor(id: number, name: string, type: number, active: BpfOffset, body: TestProgramBody) {
    this.id = id;
    this.name = name;
    this.type = type;
    this.active = active;
    this.engine = { run: body };
  }

  /** As the layers under test see it. */
  get program(): BpfProgram {
    return this as unknown as BpfProgram;
  }

  get recursionMisses(): bigint {
    return BigInt([...this.#accounts].reduce((sum, { counts }) => sum + counts.recursion, 0));
  }

  addAccount(account: HitAccount): void {
    this.#accounts.add(account);
  }

  closeAccount(): void {
    // Accounts of the past stay readable.
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    this.references--;
  }
}

export function fault(reason: string): ProgramFault {
  return { program: 'prog', pc: 0, reason, registers: [], source: undefined };
}
