import type { ProbeContext, ProbePlan, SimulateInsn } from '../arch.js';
import { classifyArm64, insnWord } from './insn-class.js';
import { inExclusiveSequence, refusalOfArm64 } from './refusal.js';
import * as branch from './simulate-branch.js';
import * as data from './simulate-data.js';
import * as memory from './simulate-memory.js';
import { simulateNop } from './straight.js';

const LENGTH = 4;

/**
 * What to do with the instruction at `address` whose bytes begin `bytes`. Whatever depends on the pc is simulated, or
 * refused; so are, to spare a trap, the commonest instructions that work on general registers. All others run in
 * a slot as they are. Errors as Linux's arch_prepare_kprobe().
 */
export function planProbe(bytes: Uint8Array, address: bigint, context?: ProbeContext): ProbePlan {
  if (bytes.length < LENGTH) return refuse(0, 'the bytes here are half an instruction');
  if (context?.hasFixup?.() === true) {
    return refuse(LENGTH, 'it has an entry in the exception table, which a fault anywhere else would not find');
  }
  const word = insnWord(bytes);
  const reason = refusalOfArm64(word);
  if (reason !== null) return refuse(LENGTH, reason);
  if (context !== undefined && inExclusiveSequence(context.before)) {
    return refuse(LENGTH, 'a load-exclusive stands before it: a trap here would lose the exclusive monitor');
  }
  const simulate = simulationOf(word, address, context?.restoresStackPointer === true);
  const original = bytes.slice(0, LENGTH);
  const relocate = (): Uint8Array => original;
  if (simulate === null) return { kind: 'slot', length: LENGTH, relocate };
  return accessesMemory(word)
    ? { kind: 'simulate', length: LENGTH, simulate, relocate }
    : { kind: 'simulate', length: LENGTH, simulate };
}

/** Whether it may meet memory that only the CPU can access; literals lie in the text. */
function accessesMemory(word: number): boolean {
  const cls = classifyArm64(word);
  return cls === 'load-store-immediate' || cls === 'load-store-pair';
}

/** `stack`: see ProbeContext.restoresStackPointer. */
function simulationOf(word: number, address: bigint, stack: boolean): SimulateInsn | null {
  const next = address + BigInt(LENGTH);
  switch (classifyArm64(word)) {
    case 'branch':
    case 'call':
      return branch.simulateBranch(word, address);
    case 'branch-conditional':
      return branch.simulateConditionalBranch(word, address);
    case 'compare-branch':
      return branch.simulateCompareBranch(word, address);
    case 'test-branch':
      return branch.simulateTestBranch(word, address);
    case 'branch-register':
    case 'return':
      return branch.simulateRegisterBranch(word, address, false);
    case 'call-register':
      return branch.simulateRegisterBranch(word, address, true);
    case 'pc-relative-address':
      return branch.simulateAddress(word, address);
    case 'load-literal':
      return memory.simulateLoadLiteral(word, address, false);
    case 'load-literal-signed':
      return memory.simulateLoadLiteral(word, address, true);
    // Linux's slots lie in pages without landing pads, where bti does nothing either.
    case 'nop':
    case 'bti':
      return simulateNop(next);
    case 'add-sub-immediate':
      return data.movesStackPointer(word) && !stack ? null : data.simulateAddSubImmediate(word, next);
    case 'add-sub-shifted':
      return data.simulateAddSubShifted(word, next);
    case 'logical-shifted':
      return data.simulateLogical(word, next);
    case 'move-wide':
      return data.simulateMoveWide(word, next);
    case 'load-store-immediate':
      return memory.simulateLoadStore(word, next, stack);
    case 'load-store-pair':
      return memory.simulatePair(word, next, stack);
    default:
      return null;
  }
}

function refuse(length: number, reason: string): ProbePlan {
  return { kind: 'refuse', length, errno: 'EINVAL', reason };
}
