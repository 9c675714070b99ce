import type { Engine, Helper } from '../../../src/runtime/index.js';
import { contextLayout } from '../../../src/runtime/context-layout.js';
import type { Executable } from '../../../src/runtime/executable.js';
import { AccessGuard } from '../../../src/runtime/interp/access-guard.js';
import { MapRegions } from '../../../src/runtime/interp/map-regions.js';
import { Activation } from '../../../src/runtime/interp/activation.js';
import { formOps } from '../../../src/runtime/interp/form-ops.js';
import { INSN_WORDS, packInsn } from '../../../src/runtime/interp/insn-word.js';
import { execute, giveRegisters, takeRegisters } from '../../../src/runtime/interp/execute.js';
import { registerFile } from '../../../src/runtime/interp/loop.js';
import { Op } from '../../../src/runtime/interp/op.js';
import { predecode, type ProgramCode } from '../../../src/runtime/interp/predecode.js';
import { RunStopped } from '../../../src/runtime/interp/stop.js';
import { isJumpOp } from '../../../src/runtime/jit/flow/flow-graph.js';
import { stepAt, stepCount } from '../../../src/runtime/jit/step.js';
import type { BpfRunCtx } from '../../../src/runtime/run-context.js';

/** A run at one instruction. */
export interface Moment {
  readonly run: BpfRunCtx;
  /** Pairs of words, r0 first. */
  readonly registers: Int32Array;
  /** Of what the run may touch. */
  readonly guard: AccessGuard;
}

/** Called before each instruction, by its number in `code`. */
export type Observer = (index: number, moment: Moment) => void;

/**
 * The interpreter on programs in which a helper call stands before each instruction: it tells `observe` what is in
 * the registers and leaves them as they were. `prepare` sees each program as it is loaded.
 */
export function observingEngine(prepare: (executable: Executable, code: ProgramCode) => Observer): Engine {
  return engineOf('interp', (executable, runtime) => {
    const code = predecode(executable, runtime.helpers, formOps);
    const observe = prepare(executable, code);
    const regions = new MapRegions(executable.maps);
    const parts = contextLayout(executable.type).parts;
    const guard = new AccessGuard(runtime.memory, runtime.host, regions, parts, false);
    const observed = withCalls(code, (index, run) => {
      observe(index, { run, registers: vm.registers, guard });
      run.resultHi = vm.registers[1];
      return vm.registers[0];
    });
    const vm: Activation = new Activation(executable, observed, guard, execute, registerFile);
    return {
      run: (run, ctx, r2 = 0) => {
        const outer = takeRegisters();
        try {
          vm.begin(run, ctx, r2);
          execute(vm, 0);
        } catch (error) {
          if (!(error instanceof RunStopped)) throw error;
        } finally {
          giveRegisters(outer);
        }
        return 0;
      },
      dispose: () => undefined,
    };
  });
}

/** An engine that instantiates each program on its own. */
export function engineOf(name: Engine['name'], instantiate: Engine['instantiate']): Engine {
  return {
    name,
    instantiate,
    instantiateAll: (executables, runtime) => executables.map((executable) => instantiate(executable, runtime)),
  };
}

function withCalls(code: ProgramCode, call: (index: number, run: BpfRunCtx) => number): ProgramCode {
  const count = stepCount(code);
  const words = new Int32Array(2 * code.words.length);
  const helpers = [...code.helpers];
  for (let index = 0; index < count; index++) {
    const { op, x } = stepAt(code, index);
    const isTarget = isJumpOp(op) || op === Op.callSubprog;
    const observer: Helper = {
      id: -1,
      name: 'observe',
      args: [],
      ret: 'u64',
      gplOnly: false,
      impl: (run) => call(index, run),
    };
    const at = 2 * INSN_WORDS * index;
    words[at] = packInsn(Op.callHelper, 0, 0);
    words[at + 1] = helpers.push(observer) - 1;
    words[at + 2] = code.words[INSN_WORDS * index];
    words[at + 3] = isTarget ? 2 * x : x;
  }
  return { ...code, words, helpers, wordOfSlot: code.wordOfSlot.map((word) => 2 * word) };
}
