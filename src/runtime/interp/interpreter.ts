import { BpfProgType } from '../../base/index.js';
import { lineAt, lineText } from '../check/index.js';
import { contextLayout } from '../context-layout.js';
import type { Engine, EngineProgram, ProgramFault } from '../engine.js';
import type { Executable } from '../executable.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Runtime } from '../runtime.js';
import { AccessGuard } from './access-guard.js';
import { MapRegions } from './map-regions.js';
import { Activation } from './activation.js';
import { execute, giveRegisters, takeRegisters } from './execute.js';
import { type FormOps, formOps } from './form-ops.js';
import { registerFile } from './loop.js';
import { predecode, type ProgramCode } from './predecode.js';
import { RunStopped } from './stop.js';

/** Program types whose typed pointers may be followed without a NULL check: such a load reads as zero. */
export const followsTypedPointers: readonly number[] = [
  BpfProgType.BPF_PROG_TYPE_TRACING,
  BpfProgType.BPF_PROG_TYPE_LSM,
];

/**
 * The interpreter: executes every instruction of Linux 6.18 (arenas excepted) with every memory access and
 * helper argument checked at run time, so that it takes programs that no verifier has seen.
 */
export function createInterpreter(): Engine {
  return createInterpreterWith(formOps);
}

/** An interpreter whose forms mean what `ops` says. For tests that break one on purpose. */
export function createInterpreterWith(ops: FormOps): Engine {
  return {
    name: 'interp',
    instantiate: (executable, runtime) => new InterpretedProgram(executable, runtime, ops),
    instantiateAll: (executables, runtime) =>
      executables.map((executable) => new InterpretedProgram(executable, runtime, ops)),
  };
}

class InterpretedProgram implements EngineProgram {
  readonly #executable: Executable;
  readonly #runtime: Runtime;
  readonly #code: ProgramCode;
  /** Activations not in use: one is enough unless the program runs nested in itself. */
  readonly #idle: Activation[] = [];

  constructor(executable: Executable, runtime: Runtime, ops: FormOps) {
    this.#executable = executable;
    this.#runtime = runtime;
    this.#code = predecode(executable, runtime.helpers, ops);
    this.#idle.push(this.#makeActivation());
  }

  run(run: BpfRunCtx, ctx: number, r2 = 0): number {
    const vm = this.#idle.pop() ?? this.#makeActivation();
    const outer = takeRegisters();
    try {
      vm.begin(run, ctx, r2);
      run.callback = vm.callback;
      execute(vm, 0);
      run.resultHi = vm.registers[1];
      return vm.registers[0];
    } catch (error) {
      if (!(error instanceof RunStopped)) throw error;
      // A fault in a program that was tail-called is already described.
      run.fault ??= this.#describe(error, vm);
      run.resultHi = 0;
      return 0;
    } finally {
      run.callback = null;
      giveRegisters(outer);
      this.#idle.push(vm);
    }
  }

  dispose(): void {
    this.#idle.length = 0;
  }

  #makeActivation(): Activation {
    const { host, memory } = this.#runtime;
    const { type, maps } = this.#executable;
    const regions = new MapRegions(maps);
    const nullReadsZero = followsTypedPointers.includes(type);
    const guard = new AccessGuard(memory, host, regions, contextLayout(type).parts, nullReadsZero);
    return new Activation(this.#executable, this.#code, guard, execute, registerFile);
  }

  #describe(stopped: RunStopped, vm: Activation): ProgramFault {
    const { slots } = this.#code;
    const pc = slots[Math.min(Math.max(stopped.index, 0), slots.length - 1)];
    const line = lineAt(this.#executable.lines, pc);
    const note = this.#executable.notes?.get(pc);
    return {
      program: this.#executable.name,
      pc,
      reason: note === undefined ? stopped.message : `${stopped.message}: ${note}`,
      registers: vm.snapshot(),
      source: line === undefined ? undefined : lineText(line),
    };
  }
}
