import { BpfProgType, roundUp } from '../../base/index.js';
import type { ProgramInput, Subprog } from '../executable.js';
import {
  BPF_ADD,
  BPF_ALU64,
  BPF_JMP,
  BPF_JMP32,
  BPF_K,
  BPF_LDX,
  BPF_MOV,
  BPF_REG_FP,
  BPF_ST,
  BPF_STX,
  BPF_X,
  CALL,
  type Insn,
} from '../isa/index.js';
import { CheckError } from './check-error.js';
import { isJump, isSubprogCall, jumpTarget, subprogTarget } from './jumps.js';

/** MAX_BPF_STACK */
const MAX_STACK = 512;
/** The JIT of x86-64 rounds each frame up to this. */
const FRAME_GRANULE = 16;
/** Frames of this size and more get a stack of their own, where the program type has private stacks. */
const PRIVATE_STACK_MIN = 64;

/** Program types whose subprograms may have private stacks (bpf_enable_priv_stack() of Linux 6.18). */
const withPrivateStacks: readonly number[] = [
  BpfProgType.BPF_PROG_TYPE_KPROBE,
  BpfProgType.BPF_PROG_TYPE_TRACEPOINT,
  BpfProgType.BPF_PROG_TYPE_PERF_EVENT,
  BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT,
];

/**
 * Refuses chains of calls whose frames take more than 512 bytes together, as Linux does (EACCES); where the
 * program type has private stacks, frames of 64 bytes and more are counted each for itself.
 *
 * A frame's size is what loads, stores and helper arguments are seen to use of it. Without a verifier that is
 * at most what Linux finds: pointers into the stack are followed through straight code only.
 */
export function checkStackDepth(input: ProgramInput, subprogs: readonly Subprog[]): void {
  const depths = subprogs.map((subprog) => frameSize(input.insns, subprog));
  const byStart = new Map(subprogs.map((subprog, i) => [subprog.start, i]));
  const isPrivate = (subprog: number): boolean =>
    withPrivateStacks.includes(input.type) && depths[subprog] >= PRIVATE_STACK_MIN;
  /** Deepest sum below each subprogram, itself included, and over how many frames. */
  const known = new Map<number, { readonly bytes: number; readonly frames: number }>();

  function deepest(subprog: number): { readonly bytes: number; readonly frames: number } {
    const before = known.get(subprog);
    if (before !== undefined) return before;
    let below = { bytes: 0, frames: 0 };
    for (const callee of calleesOf(input.insns, subprogs[subprog], byStart)) {
      const found = deepest(callee);
      if (found.bytes > below.bytes) below = found;
    }
    const own = isPrivate(subprog) ? 0 : depths[subprog];
    const result = { bytes: below.bytes + own, frames: below.frames + 1 };
    known.set(subprog, result);
    return result;
  }

  for (const [index, subprog] of subprogs.entries()) {
    const { bytes, frames } = deepest(index);
    if (bytes > MAX_STACK)
      throw tooLarge(input, subprog, `combined stack size of ${frames} calls is ${bytes}. Too large`);
  }
}

function tooLarge(input: ProgramInput, { start }: Subprog, verdict: string): CheckError {
  return new CheckError(input, {
    code: 'EACCES',
    verdict,
    insn: start,
    remedy: `all frames of a chain of calls share ${MAX_STACK} bytes: move data to a map, or call less deeply`,
  });
}

function calleesOf(insns: readonly Insn[], { start, end }: Subprog, byStart: ReadonlyMap<number, number>): number[] {
  const callees: number[] = [];
  for (let at = start; at < end; at++) {
    const callee = isSubprogCall(insns[at]) ? byStart.get(subprogTarget(insns[at], at)) : undefined;
    if (callee !== undefined) callees.push(callee);
  }
  return callees;
}

/**
 * Bytes of stack that the function is seen to use, rounded up as the JIT does. An access below the frame is
 * another mistake, which the run finds.
 */
function frameSize(insns: readonly Insn[], { start, end }: Subprog): number {
  const targets = jumpTargets(insns, start, end);
  const pointers = new FramePointers();
  let lowest = 0;
  for (let at = start; at < end; at++) {
    if (targets.has(at)) pointers.forget();
    lowest = Math.min(lowest, pointers.step(insns[at]));
  }
  return Math.min(roundUp(-lowest, FRAME_GRANULE), MAX_STACK);
}

function jumpTargets(insns: readonly Insn[], start: number, end: number): Set<number> {
  const targets = new Set<number>();
  for (let at = start; at < end; at++) {
    if (isJump(insns[at])) targets.add(jumpTarget(insns[at], at));
  }
  return targets;
}

/** Which registers hold the frame pointer plus a known distance. */
class FramePointers {
  readonly #offsets = new Map<number, number>([[BPF_REG_FP, 0]]);

  forget(): void {
    this.#offsets.clear();
    this.#offsets.set(BPF_REG_FP, 0);
  }

  /** Follows one instruction; the lowest distance from r10 that it uses, 0 for none. */
  step(insn: Insn): number {
    const cls = insn.code & 7;
    if (cls === BPF_LDX) return this.#load(insn);
    if (cls === BPF_ST || cls === BPF_STX) return this.#at(insn.dst, insn.off);
    if (insn.code === CALL) return this.#call();
    if (insn.code === (BPF_ALU64 | BPF_MOV | BPF_X) && insn.off === 0) this.#set(insn.dst, this.#offsets.get(insn.src));
    else if (insn.code === (BPF_ALU64 | BPF_ADD | BPF_K)) this.#move(insn.dst, insn.imm);
    else if (cls !== BPF_JMP && cls !== BPF_JMP32) this.#set(insn.dst, undefined);
    return 0;
  }

  #load(insn: Insn): number {
    const used = this.#at(insn.src, insn.off);
    this.#set(insn.dst, undefined);
    return used;
  }

  /** Pointers among the arguments are used where they point; a call destroys r0 to r5. */
  #call(): number {
    let lowest = 0;
    for (let register = 0; register <= 5; register++) {
      if (register > 0) lowest = Math.min(lowest, this.#at(register, 0));
      this.#set(register, undefined);
    }
    return lowest;
  }

  #at(register: number, off: number): number {
    const base = this.#offsets.get(register);
    return base === undefined ? 0 : base + off;
  }

  #set(register: number, offset: number | undefined): void {
    if (offset === undefined) this.#offsets.delete(register);
    else this.#offsets.set(register, offset);
  }

  #move(register: number, by: number): void {
    const offset = this.#offsets.get(register);
    if (offset !== undefined) this.#offsets.set(register, offset + by);
  }
}
