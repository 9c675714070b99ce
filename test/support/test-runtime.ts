import {
  BpfMemory,
  type BpfProgram,
  type BpfRunCtx,
  type ProgramFault,
  type Runtime,
} from '../../src/runtime/index.js';
import type { Host } from '../../src/host/index.js';

/** The body of a program in a unit test: what an engine's `run` would do. */
export type TestProgramBody = (run: BpfRunCtx, ctx: number) => number;

/** A runtime with BPF memory and run contexts, whose programs are functions of the test. */
export class TestRuntime {
  readonly host: Host;
  readonly memory = new BpfMemory();
  readonly cpus: number;
  readonly traceActive: Int32Array;
  readonly #depth: number[];
  #ids = 0;

  constructor(host: Host) {
    this.host = host;
    this.cpus = host.cpus;
    this.traceActive = new Int32Array(host.cpus);
    this.#depth = Array.from({ length: host.cpus }, () => 0);
  }

  /** As the layers under test see it. */
  get runtime(): Runtime {
    return this as unknown as Runtime;
  }

  /** Run contexts that are in use. */
  get open(): number {
    return this.#depth.reduce((sum, depth) => sum + depth, 0);
  }

  enter(cpu: number): BpfRunCtx | null {
    if (this.#depth[cpu] === 4) return null;
    this.#depth[cpu] = this.#depth[cpu] + 1;
    return { runtime: this.runtime, cpu, fault: null } as BpfRunCtx;
  }

  leave(run: BpfRunCtx): void {
    this.#depth[run.cpu] = this.#depth[run.cpu] - 1;
  }

  program(type: number, body: TestProgramBody, name = 'prog'): TestProgram {
    return new TestProgram(++this.#ids, name, type, this.cpus, body);
  }
}

export class TestProgram {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly active: Int32Array;
  readonly engine: { run: TestProgramBody };
  recursionMisses = 0n;
  references = 1;
  /** What was asked for at load. */
  executable = { expectedAttachType: 0 };

  constructor(id: number, name: string, type: number, cpus: number, body: TestProgramBody) {
    this.id = id;
    this.name = name;
    this.type = type;
    this.active = new Int32Array(cpus);
    this.engine = { run: body };
  }

  /** As the layers under test see it. */
  get program(): BpfProgram {
    return this as unknown as BpfProgram;
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
