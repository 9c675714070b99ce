import type { ErrnoName } from '../base/index.js';
import type { PtRegs, PtRegsLayout } from './pt-regs.js';

/** What is the same for every CPU of one architecture, and differs from the next. Stateless. */
export interface Arch {
  readonly name: 'x86_64' | 'arm64' | 'riscv64' | 'loongarch64' | 'i386';
  readonly littleEndian: boolean;
  /** Bytes of a pointer. */
  readonly pointerSize: 4 | 8;
  readonly ptRegs: PtRegsLayout;
  readonly probing: ArchProbing;
  readonly returns: ArchReturns;
}

/** What the kprobe layer needs of an architecture. */
export interface ArchProbing {
  /** Shortest and longest instruction in bytes. */
  readonly minInsnLength: number;
  readonly maxInsnLength: number;
  /** Bytes of the breakpoint for an instruction of `length` bytes. */
  breakpoint(length: number): Uint8Array;
  /** Bytes of the breakpoint behind a displaced instruction of `length` bytes in its slot. */
  slotBreakpoint(length: number): Uint8Array;
  /** Bytes of the breakpoint that stands for a user instruction of `length` bytes (uprobes have codes of their own). */
  uprobeBreakpoint(length: number): Uint8Array;
  /** Whether `bytes`, as many as the longest instruction has or those there are and zeros, begin with a breakpoint. */
  isBreakpoint(bytes: Uint8Array): boolean;
  /** pc in the trap frame minus the address of the breakpoint (1 on x86, where int3 traps after itself). */
  readonly trapPcBias: number;
  /** What register_kprobe() answers for an address inside an instruction. */
  readonly boundaryErrno: ErrnoName;
  /** Length of the instruction at `offset`, or 0 where the bytes are no instruction of this architecture. */
  insnLength(bytes: Uint8Array, offset: number): number;
  /** How many bytes before an instruction `plan` wants to see; 0 where it looks at the instruction alone. */
  readonly contextSize: number;
  /** What to do with the instruction under a probe. `address` is where it stands. */
  plan(bytes: Uint8Array, address: bigint, context?: ProbeContext): ProbePlan;
  /**
   * How an instruction of a program, which `plan` simulates, runs out of line where its memory is absent and `plan` knows no
   * way; null where it cannot. Absent: of none.
   */
  userRelocation?(bytes: Uint8Array, address: bigint): RelocateInsn | null;
  /** Masks interrupts in `regs` while a displaced instruction runs in its slot; the result is what they were. */
  maskInterrupts(regs: PtRegs): number;
  /** Brings back what `maskInterrupts` answered. */
  restoreInterrupts(regs: PtRegs, saved: number): void;
}

/** What surrounds an instruction under a probe. */
export interface ProbeContext {
  /** Bytes that end where the instruction begins, none from before its function and at most `contextSize`. */
  readonly before: Uint8Array;
  /** HostText.restoresStackPointer; absent: no. */
  readonly restoresStackPointer?: boolean;
  /** HostText.hasFixup; absent: no. */
  readonly hasFixup?: () => boolean;
}

/** Where a function keeps its return address, for return probes. */
export interface ArchReturns {
  /**
   * At the first instruction of a function: puts its return address into `out[0..1]` and what identifies its
   * frame (an address on the stack) into `out[2..3]`. False: a memory fault.
   */
  readEntry(regs: PtRegs, memory: InsnMemory, out: Int32Array): boolean;
  /** At the first instruction of a function: makes it return to `lo`, `hi`. False: a memory fault. */
  redirect(regs: PtRegs, memory: InsnMemory, lo: number, hi: number): boolean;
  /** At the first instruction of a function: returns to its caller at once. False: a memory fault; nothing has changed. */
  leave(regs: PtRegs, memory: InsnMemory): boolean;
  /**
   * At the return trampoline: puts the identity of the frame just left into `out[2..3]`, as `readEntry` did for
   * it, and makes `regs` look as the kernel's own trampoline shows them to handlers, but for the pc.
   */
  readReturn(regs: PtRegs, out: Int32Array): void;
  /** Leaves the trampoline for the real return address `lo`, `hi`, as if the function had returned there. */
  resume(regs: PtRegs, lo: number, hi: number): void;
}

/**
 * How the displaced instruction gets executed: in TypeScript on the saved registers, by the CPU in a slot
 * (then it is one after which the pc is that of the next instruction), or not at all: the probe is refused.
 */
export type ProbePlan =
  | {
      readonly kind: 'simulate';
      readonly length: number;
      readonly simulate: SimulateInsn;
      /**
       * As of a slot, for instructions that may access memory that is absent with good reason (a user's, a device's):
       * where `simulate` answers false, the CPU runs them in a slot and meets the fault itself.
       */
      readonly relocate?: RelocateInsn;
    }
  | {
      readonly kind: 'slot';
      readonly length: number;
      readonly relocate: RelocateInsn;
    }
  | { readonly kind: 'refuse'; readonly length: number; readonly errno: ErrnoName; readonly reason: string };

/** The bytes to run in the slot at `slot` instead of the original ones; null if its operand is out of reach. */
export type RelocateInsn = (slot: bigint) => Uint8Array | null;

/** Access to the memory of the context that trapped; false is a fault and the instruction did not run. */
export interface InsnMemory {
  read(lo: number, hi: number, dst: Uint8Array, length: number): boolean;
  write(lo: number, hi: number, src: Uint8Array, length: number): boolean;
}

/** Executes one instruction on `regs`, pc included, whatever pc they hold. False: a memory fault; nothing has changed. */
export type SimulateInsn = (regs: PtRegs, memory: InsnMemory) => boolean;
