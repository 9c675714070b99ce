import type { PtRegsLayout } from './pt-regs.js';

/** What is the same for every CPU of one architecture, and differs from the next. Stateless. */
export interface Arch {
  readonly name: 'x86_64' | 'arm64' | 'riscv64' | 'loongarch64' | 'i386';
  readonly littleEndian: boolean;
  /** Bytes of a pointer. */
  readonly pointerSize: 4 | 8;
  readonly ptRegs: PtRegsLayout;
  readonly probing: ArchProbing;
}

/** What the kprobe layer needs of an architecture. */
export interface ArchProbing {
  /** Longest instruction in bytes. */
  readonly maxInsnLength: number;
  /** Bytes of the breakpoint for an instruction of `length` bytes. */
  breakpoint(length: number): Uint8Array;
  /** pc in the trap frame minus the address of the breakpoint (1 on x86, where int3 traps after itself). */
  readonly trapPcBias: number;
  /** Length of the instruction at `offset`, or 0 where the bytes are no instruction of this architecture. */
  insnLength(bytes: Uint8Array, offset: number): number;
  /** What to do with the instruction under a probe. `address` is where it stands. */
  plan(bytes: Uint8Array, address: bigint): ProbePlan;
}

/**
 * How the displaced instruction gets executed: in TypeScript on the saved registers, by the CPU in a
 * slot with fix-ups before and after, or not at all (the probe is refused, with the reason).
 */
export type ProbePlan =
  | { readonly kind: 'simulate'; readonly length: number; readonly simulate: SimulateInsn }
  | {
      readonly kind: 'slot';
      readonly length: number;
      /** The bytes to run in the slot at `slot` instead of the original ones; null if it is out of reach. */
      relocate(slot: bigint): Uint8Array | null;
      /** Mends registers after the step: pc back from the slot, a pushed return address. */
      readonly fixup: SlotFixup;
    }
  | { readonly kind: 'refuse'; readonly length: number; readonly reason: string };

/** Access to the memory of the context that trapped; false is a fault and the instruction did not run. */
export interface InsnMemory {
  read(lo: number, hi: number, dst: Uint8Array, length: number): boolean;
  write(lo: number, hi: number, src: Uint8Array, length: number): boolean;
}

/** Executes one instruction on `regs`, pc included. False: a memory fault; nothing has changed. */
export type SimulateInsn = (regs: import('./pt-regs.js').PtRegs, memory: InsnMemory) => boolean;

export type SlotFixup = (
  regs: import('./pt-regs.js').PtRegs,
  memory: InsnMemory,
  slot: bigint,
  address: bigint,
) => boolean;
