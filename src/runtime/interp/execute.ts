import type { Activation } from './activation.js';
import { callHelper } from './helper-call.js';
import type { DST_MASK, DST_SHIFT, OP_MASK, SRC_SHIFT } from './insn-word.js';
import { type Progress, registerFile, runInLoop } from './loop.js';
import type { Op } from './op.js';
import { type ProgramCode, REGISTER_WORDS } from './predecode.js';
import { rare } from './rare.js';
import { BUDGET_USED, RunStopped } from './stop.js';
import { tailCall } from './tail-call.js';

/** Instructions that the loop may count before it comes back: its counter is a 32-bit one. */
const MAX_FUEL = (1 << 30) - 1;

/** The program whose constants are in the register file. */
let constantsOf: ProgramCode | null = null;
/** Whether a run has its registers in the register file. */
let isTaken = false;

/** Takes the register file; the answer is for `giveRegisters`: the registers of the run that had it. */
export function takeRegisters(): Int32Array | null {
  const outer = isTaken ? registerFile.slice(0, REGISTER_WORDS) : null;
  isTaken = true;
  return outer;
}

export function giveRegisters(outer: Int32Array | null): void {
  if (outer === null) isTaken = false;
  else registerFile.set(outer);
}

const progress: Progress = { fuel: 0, start: 0 };

/**
 * Runs from word `entry` of the program until the function entered there returns; its result is in r0. What the
 * loop leaves undone is done here: calls, accesses to another region than before, and what is rare.
 *
 * `run.budget` counts instructions and is charged where the program jumps.
 */
export function execute(vm: Activation, entry: number): void {
  const { code, guard, run } = vm;
  const { words } = code;
  const { memory } = run.runtime;
  let pc = entry;
  let start = entry;
  try {
    for (;;) {
      loadConstants(code);
      const fuel = Math.min(run.budget, MAX_FUEL);
      progress.fuel = fuel;
      progress.start = start;
      pc = runInLoop(words, pc, progress, guard, memory);
      start = progress.start;
      run.budget -= fuel - progress.fuel;
      const word = words[pc - 2];
      let x = words[pc - 1];
      if (progress.fuel < 0) {
        if (run.budget < 0) throw new RunStopped(BUDGET_USED);
        pc = start = x;
        continue;
      }
      const op = word & (0x7f satisfies typeof OP_MASK);
      switch (op) {
        case 77 satisfies Op['callHelper']:
          callHelper(vm, code.helpers[x]);
          continue;
        case 78 satisfies Op['callSubprog']:
          vm.pushFrame(pc);
          break;
        case 79 satisfies Op['tailCall']:
          if (!tailCall(vm)) continue;
          x = vm.popFrame();
          break;
        case 80 satisfies Op['exit']:
          x = vm.popFrame();
          break;
        case 64 satisfies Op['may_goto']:
          if (run.budget >= vm.loopReserve) continue;
          break;
        default: {
          const d = (word >>> (7 satisfies typeof DST_SHIFT)) & (0x1f satisfies typeof DST_MASK);
          if (rare(vm, op, d, word >>> (12 satisfies typeof SRC_SHIFT), x)) continue;
          x = vm.popFrame();
        }
      }
      run.budget -= (pc - start) >> 1;
      if (x < 0) return;
      if (run.budget < 0) throw new RunStopped(BUDGET_USED);
      pc = start = x;
    }
  } catch (error) {
    if (error instanceof RunStopped && error.index < 0) error.index = (pc >> 1) - 1;
    throw error;
  }
}

/** Constants stay in the register file until another program runs. */
function loadConstants(code: ProgramCode): void {
  if (constantsOf === code) return;
  registerFile.set(code.constants, REGISTER_WORDS);
  constantsOf = code;
}
