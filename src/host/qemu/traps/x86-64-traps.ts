import { decodeInsn, X86Insn, X86Slot } from '../../../arch/index.js';
import { X86_64Tables } from '../../guest/index.js';
import type { SymbolTable } from '../../index.js';
import type { CpuRegisters } from '../rsp/cpu-registers.js';
import { returnStubCode, trapStubCode } from './trap-stub-code.js';
import type { TrapArch } from './trap-arch.js';

const CR4_LA57 = 1n << 12n;
const LARGE = 0x20_0000n;
/** With CONFIG_PAGE_TABLE_ISOLATION a program has two top tables in a row, the kernel's before its own. */
const PROGRAM_AND_KERNEL = 2 * 4096;
const JUMP_LENGTH = 5;
const insn = new X86Insn();

const GENERAL = ['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const NAMED = ['ax', 'bx', 'cx', 'dx', 'si', 'di', 'bp', 'sp', 'ip'];

/** Classes of instructions that do the same wherever they stand, unless they address memory relative to the pc. */
const MOVABLE: ReadonlySet<string> = new Set(['other', 'nop', 'push', 'pop', 'leave']);

/** Linux on x86_64: int3 goes through asm_exc_int3 to exc_int3(regs). */
export const x86_64Traps: TrapArch = {
  name: 'x86_64',
  registers: {
    ...Object.fromEntries(GENERAL.map((name) => [name, name])),
    ...Object.fromEntries(NAMED.map((name) => [name, `r${name}`])),
    cs: 'cs',
    ss: 'ss',
    flags: 'eflags',
  },
  pc: 'rip',
  fromCpu(regs) {
    // As in every trap that is no system call.
    regs.set(X86Slot.orig_ax, -1, -1);
  },
  isUser: (regs) => (regs.lo(X86Slot.cs) & 3) === 3,
  root: rootOf,
  postedRoot: (lo, hi) => ((lo & ~0xfff) >>> 0) + (hi & 0xf_ffff) * 2 ** 32,
  kernelRoot(cpu, physicalOf) {
    const inForce = rootOf(cpu);
    const kernels = inForce - (inForce % PROGRAM_AND_KERNEL);
    for (const root of [inForce, kernels]) {
      const own = physicalOf('init_top_pgt', root) ?? physicalOf('swapper_pg_dir', root);
      if (own !== null) return own;
    }
    return null;
  },
  tables: (ram, cpu) => new X86_64Tables(ram, hasFiveLevels(cpu) ? 5 : 4),
  takesInterrupts: (cpu) => (cpu.get('eflags') & 0x200n) !== 0n,
  current(cpu, { symbols }) {
    const offset = currentTask(symbols);
    return offset === undefined ? null : { at: BigInt.asUintN(64, cpu.get('gs_base') + offset) };
  },
  postsCurrent: ({ symbols }) => currentTask(symbols) !== undefined,
  stubs: { mailbox: trapStubCode.x86_64, pvpanic: trapStubCode['x86_64-pvpanic'] },
  returns: returnStubCode.x86_64,
  stubParameter: ({ symbols }) => currentTask(symbols) ?? 0n,
  handler: {
    symbol: 'exc_int3',
    argument: 'rdi',
    path: ['asm_exc_int3', 'exc_int3', 'error_entry', 'error_return', 'paranoid_entry', 'paranoid_exit', 'sync_regs'],
    leave(cpu, readWord) {
      const top = cpu.get('rsp');
      const caller = readWord(top);
      if (caller === null) return false;
      cpu.set('rip', caller);
      cpu.set('rsp', top + 8n);
      return true;
    },
    jump(from, to) {
      const distance = to - (from + BigInt(JUMP_LENGTH));
      if (BigInt.asIntN(32, distance) !== distance) return null;
      const bytes = new Uint8Array(JUMP_LENGTH);
      bytes[0] = 0xe9;
      new DataView(bytes.buffer).setInt32(1, Number(distance), true);
      return bytes;
    },
    isMovable: (bytes) => decodeInsn(bytes, 0, insn) !== null && !insn.ripRelative && MOVABLE.has(insn.class),
  },
  room: {
    pageBytes: Number(LARGE),
    /** The end of the gigabyte that kernel text lies in: past the image nothing is ever mapped there. */
    *candidates(text) {
      const end = (text | 0x3fff_ffffn) + 1n;
      for (let at = end - LARGE; at > text; at -= LARGE) yield at;
    },
    upperShifts: (cpu) => (hasFiveLevels(cpu) ? [48, 39, 30] : [39, 30]),
    isEmpty: (lo, hi) => (lo | hi) === 0,
    nextTable: (lo, hi) => ((lo & 0x81) !== 1 ? -1 : ((lo & ~0xfff) >>> 0) + (hi & 0xf_ffff) * 2 ** 32),
    // Present, writable, accessed, dirty, large.
    entry: (address) => [(address % 2 ** 32) | 0xe3 | 0, Math.floor(address / 2 ** 32)],
  },
};

function rootOf(cpu: CpuRegisters): number {
  return Number(cpu.get('cr3') & 0xf_ffff_ffff_f000n);
}

/** Offset in per-CPU memory of the current task: a variable of its own, and since 6.2 the first field of pcpu_hot. */
function currentTask(symbols: SymbolTable): bigint | undefined {
  return symbols.lookup('current_task')?.address ?? symbols.lookup('pcpu_hot')?.address;
}

function hasFiveLevels(cpu: CpuRegisters): boolean {
  return (cpu.get('cr4') & CR4_LA57) !== 0n;
}
