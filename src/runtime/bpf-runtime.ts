import { BpfError } from '../base/index.js';
import type { Host } from '../host/index.js';
import { BpfFs } from './bpf-fs.js';
import { checkProgram } from './check/index.js';
import { chooseEngine } from './choose-engine.js';
import type { Engine, EngineProgram } from './engine.js';
import type { Executable, ProgramInput } from './executable.js';
import type { Helper } from './helper/helper.js';
import type { Kfunc } from './kfunc/kfunc.js';
import { kfuncTable } from './kfunc/kfunc-table.js';
import { createHelperTable, discardReservations } from './helper/index.js';
import { LoadedProgram } from './loaded-program.js';
import type { BpfMap, MapSpec } from './map/bpf-map.js';
import { createMap } from './map/index.js';
import { BpfMemory, type BpfOffset } from './memory/bpf-memory.js';
import { hasOpenRecords } from './open-records.js';
import type { BpfProgram } from './program.js';
import { PendingWakeups } from './ring/pending-wakeups.js';
import type { BpfRunCtx } from './run-context.js';
import { MAX_NESTING, RunContextPool } from './run-context-pool.js';
import type { HitRuns, Runtime } from './runtime.js';
import { testRun, type TestRunOptions, type TestRunResult } from './test-run/test-run.js';

/** Instructions of a run unless told otherwise: about a quarter of a second in the interpreter. */
export const DEFAULT_BUDGET = 1 << 26;
/** What a 16-bit displacement can reach by wrapping around; kept unused. */
const UNUSED_START = 0x1_0000;

export interface BpfRuntimeOptions {
  /** Default: what `chooseEngine` chooses. */
  readonly engine?: Engine;
  /** Memory of the runtime's own unless given. */
  readonly memory?: BpfMemory;
  /** Helper rows by number; default: all that kscope has. */
  readonly helpers?: ReadonlyMap<number, Helper>;
  /** Kernel functions by name; default: all that kscope has. */
  readonly kfuncs?: ReadonlyMap<string, Kfunc>;
  /**
   * Instructions one run may execute, its callbacks and tail calls included, before it is stopped; 1 to 2^48,
   * default `DEFAULT_BUDGET`. Counted where the program jumps, so a run may exceed it by one straight stretch.
   * A `may_goto` loop is left when half of it is used up: Linux leaves it by time, after about 250 ms.
   */
  readonly instructionBudget?: number;
}

/**
 * The BPF machine of one host: its memory, maps, helpers, programs and per-CPU run contexts. Maps and programs
 * are reference-counted; the caller owns the one reference that `createMap` and `loadProgram` give.
 */
export class BpfRuntime implements Runtime {
  readonly host: Host;
  readonly memory: BpfMemory;
  readonly engine: Engine;
  readonly cpus: number;
  readonly cpuBlocks: BpfOffset;
  readonly wakeups: PendingWakeups;
  readonly bpffs = new BpfFs();
  readonly helpers: ReadonlyMap<number, Helper>;
  readonly kfuncs: ReadonlyMap<string, Kfunc>;
  readonly attachments = new Map<number, HitRuns>();
  readonly instructionBudget: number;
  tracePrintk: (line: string, cpu: number) => void = () => undefined;
  /** Told of each map whose last reference has gone, before its memory is given back. */
  onMapRelease: ((map: BpfMap) => void) | null = null;
  readonly #pool: RunContextPool;
  readonly #maps = new Map<number, BpfMap>();
  readonly #programs = new Set<LoadedProgram>();
  #nextMapId = 1;
  #nextProgramId = 1;

  /** Throws RangeError for a budget out of range, ENOMEM where the memory cannot hold the CPUs' stacks. */
  constructor(host: Host, options: BpfRuntimeOptions = {}) {
    this.instructionBudget = checkedBudget(options.instructionBudget ?? DEFAULT_BUDGET);
    this.host = host;
    this.cpus = host.cpus;
    this.memory = options.memory ?? new BpfMemory();
    this.engine = options.engine ?? chooseEngine().engine;
    this.helpers = options.helpers ?? createHelperTable();
    this.kfuncs = options.kfuncs ?? kfuncTable;
    this.memory.alloc(UNUSED_START);
    this.#pool = new RunContextPool(this, this.memory, this.cpus);
    this.cpuBlocks = this.#pool.cpuBlocks;
    this.wakeups = new PendingWakeups(this.memory);
  }

  /** Live maps, in the order of their creation. */
  get maps(): Iterable<BpfMap> {
    return this.#maps.values();
  }

  /** Loaded programs, in the order of their loading. */
  get programs(): Iterable<BpfProgram> {
    return this.#programs;
  }

  createMap(spec: MapSpec): BpfMap {
    const { memory, cpus } = this;
    const map = createMap(
      {
        memory,
        cpus,
        id: this.#nextMapId,
        wakeups: this.wakeups,
        currentCpu: () => this.host.currentCpu(),
        onRelease: (released) => {
          this.#maps.delete(released.address);
          this.onMapRelease?.(released);
        },
      },
      spec,
    );
    this.#nextMapId++;
    this.#maps.set(map.address, map);
    return map;
  }

  mapAt(address: number): BpfMap | undefined {
    return this.#maps.get(address);
  }

  /** Checks the program's structure and makes it runnable. Throws a BpfError where it has none. */
  loadProgram(input: ProgramInput): BpfProgram {
    return this.loadExecutable(checkProgram(input));
  }

  /** Checks programs of one object and makes them runnable together. Throws for the first that is wrong, and loads none. */
  loadPrograms(inputs: readonly ProgramInput[]): BpfProgram[] {
    const executables = inputs.map((input) => checkProgram(input));
    const engines = this.engine.instantiateAll(executables, this);
    return executables.map((executable, i) => this.#loaded(executable, engines[i]));
  }

  /** Makes an executable that was checked elsewhere runnable. */
  loadExecutable(executable: Executable): BpfProgram {
    return this.#loaded(executable, this.engine.instantiate(executable, this));
  }

  #loaded(executable: Executable, engine: EngineProgram): BpfProgram {
    const program = new LoadedProgram({
      id: this.#nextProgramId++,
      executable,
      engine,
      memory: this.memory,
      cpus: this.cpus,
      onRelease: (released) => this.#programs.delete(released),
    });
    this.#programs.add(program);
    return program;
  }

  enter(cpu: number): BpfRunCtx | null {
    const run = this.#pool.enter(cpu, this.instructionBudget);
    if (run !== null) this.memory.beginRun();
    return run;
  }

  leave(run: BpfRunCtx): void {
    if (hasOpenRecords(run)) discardReservations(run);
    // Attachments count their own.
    if (run.attachment === 0 && run.program instanceof LoadedProgram) run.program.runs++;
    this.#pool.leave(run);
    this.memory.endRun();
    if (this.wakeups.any && this.#pool.depth(run.cpu) === 0) this.wakeups.deliver();
  }

  depth(cpu: number): number {
    return this.#pool.depth(cpu);
  }

  /**
   * Runs a program on given bytes, with the semantics of BPF_PROG_TEST_RUN for the types that Linux can run
   * and on the raw context for all others. A run that had to stop is an EFAULT `BpfError` with the fault as
   * its cause.
   */
  testRun(program: BpfProgram, options: TestRunOptions = {}): TestRunResult {
    const cpu = options.cpu ?? 0;
    if (!(Number.isInteger(cpu) && cpu >= 0 && cpu < this.cpus)) {
      throw new BpfError('ENXIO', 'test run', { value: cpu, remedy: `CPUs are 0 to ${this.cpus - 1}` });
    }
    if (this.#pool.depth(cpu) === MAX_NESTING) throw new BpfError('EBUSY', `test run: CPU ${cpu} is nested too deeply`);
    return testRun(this, program, cpu, options);
  }
}

function checkedBudget(budget: number): number {
  if (Number.isInteger(budget) && budget >= 1 && budget <= 2 ** 48) return budget;
  throw new RangeError(`instructionBudget must be an integer from 1 to 2^48, got ${budget}`);
}
