import type { Arch, PtRegs } from '../../../arch/index.js';
import type { Btf } from '../../../btf/index.js';
import type { SymbolTable } from '../../index.js';
import type { GuestRam, PageTables } from '../../guest/index.js';
import type { CpuRegisters } from '../rsp/cpu-registers.js';

/** What taking traps in a guest from outside needs to know of an architecture, beyond `Arch`. Stateless. */
export interface TrapArch {
  readonly name: Arch['name'];
  /** Name in the gdb stub of each field of `struct pt_regs` that has one. */
  readonly registers: Readonly<Record<string, string>>;
  readonly pc: string;
  /** Fields of `struct pt_regs` that the stub shows in another shape: fills them in from a CPU, and back. */
  fromCpu?(regs: PtRegs, cpu: CpuRegisters): void;
  toCpu?(regs: PtRegs, cpu: CpuRegisters): void;
  /** Whether the registers are those of a trap from user mode. */
  isUser(regs: PtRegs): boolean;
  /** Physical address of the page table root that a register of the CPU holds: the one in force. */
  root(cpu: CpuRegisters): number;
  /** The same from what a stub posted (`TrapSlot.root`). */
  postedRoot(lo: number, hi: number): number;
  /**
   * Physical address of the kernel's own top table, if it has one that outlives all programs; null: the one in force must
   * do. While a program runs that may lack the kernel. `physicalOf` finds a symbol by the tables at `root`.
   */
  kernelRoot(cpu: CpuRegisters, physicalOf: (symbol: string, root: number) => number | null): number | null;
  tables(ram: GuestRam, cpu: CpuRegisters): PageTables;
  /** Whether the CPU takes interrupts: then it is in no trap. */
  takesInterrupts(cpu: CpuRegisters): boolean;
  /** Address of the current task's task_struct, from a CPU in kernel mode; null: not known. */
  current(cpu: CpuRegisters, facts: TrapFacts): bigint | { readonly at: bigint } | null;
  /** Whether `TrapSlot.current` is the current task. */
  postsCurrent(facts: TrapFacts): boolean;
  readonly handler: TrapHandlerSite;
  readonly room: RoomArch | null;
  /** Code of the stubs by kind of trap. */
  readonly stubs: { readonly mailbox?: string; readonly pvpanic?: string };
  /** Code that takes the place of the return trampoline when the guest is let go. */
  readonly returns: string;
  /** The stub's parameter; null where what it comes from is not known. */
  stubParameter(facts: TrapFacts): bigint | null;
}

export interface TrapFacts {
  readonly symbols: SymbolTable;
  readonly btf: Btf | null;
}

/** The guest's function that takes breakpoint traps. */
export interface TrapHandlerSite {
  readonly symbol: string;
  /** Register that holds the `struct pt_regs *` at its entry. */
  readonly argument: string;
  /** Whether the registers are those of a breakpoint trap, where the function takes others too. Absent: it takes no others. */
  readonly cause?: (regs: PtRegs) => boolean;
  /** Functions on the way there, and others that must not trap: never probed. */
  readonly path: readonly string[];
  /** Makes a CPU at its entry return to its caller as if it had handled the trap. False: a memory fault. */
  leave(cpu: CpuRegisters, readWord: (address: bigint) => bigint | null): boolean;
  /** Bytes that go to `to` from `from`, or null if that is out of reach. */
  jump(from: bigint, to: bigint): Uint8Array | null;
  /** Whether the instruction that begins `bytes` does the same wherever it stands. */
  isMovable(bytes: Uint8Array): boolean;
}

/** How a large page of the guest's kernel space is made of physical memory. */
export interface RoomArch {
  readonly pageBytes: number;
  /** Lowest address bit that each table above those of large pages indexes by nine bits, from the top down. */
  upperShifts(cpu: CpuRegisters): readonly number[];
  /** Candidates for its address, the best first, for text at `text`. */
  candidates(text: bigint): Iterable<bigint>;
  /** Bits of an entry: whether it is in use, and the next table's address or -1 for a page. */
  isEmpty(lo: number, hi: number): boolean;
  nextTable(lo: number, hi: number): number;
  /** An entry that leads to a table; absent where tables above that of large pages are not the same for all programs. */
  table?(address: number): readonly [lo: number, hi: number];
  /** An entry of `pageBytes` at physical `address`: kernel memory that can be read, written and executed. */
  entry(address: number): readonly [lo: number, hi: number];
}
