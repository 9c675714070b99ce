import { parseSatp, Riscv64Tables } from '../../guest/index.js';
import type { CpuRegisters } from '../rsp/cpu-registers.js';
import { memberOffset } from './member-offset.js';
import { returnStubCode, trapStubCode } from './trap-stub-code.js';
import type { TrapArch } from './trap-arch.js';

const LARGE = 0x20_0000n;
const STATUS_SLOT = 32;
/** Bits of sstatus: interrupts on, what they were before the trap, and the mode before it. */
const SIE = 1 << 1;
const SPIE = 1 << 5;
const SPP = 1 << 8;
const SSTATUS = 'sstatus';

const SAVED = Array.from({ length: 11 }, (_, i) => `s${i + 1}`);
const ARGUMENTS = Array.from({ length: 8 }, (_, i) => `a${i}`);
const TEMPORARY = Array.from({ length: 7 }, (_, i) => `t${i}`);

/** Linux on riscv64: ebreak goes through handle_exception to do_trap_break(regs). */
export const riscv64Traps: TrapArch = {
  name: 'riscv64',
  registers: {
    ...Object.fromEntries(['ra', 'sp', 'gp', 'tp', ...SAVED, ...ARGUMENTS, ...TEMPORARY].map((name) => [name, name])),
    s0: 'fp',
    epc: 'pc',
  },
  pc: 'pc',
  fromCpu(regs, cpu) {
    // As a trap from kernel mode would have saved it.
    const status = cpu.has(SSTATUS) ? Number(BigInt.asUintN(32, cpu.get(SSTATUS))) : 0;
    const before = (status & SIE) !== 0 ? SPIE : 0;
    regs.set(STATUS_SLOT, (status & ~(SIE | SPIE)) | before | SPP, 0);
  },
  toCpu(regs, cpu) {
    if (!cpu.has(SSTATUS)) return;
    const on = (regs.lo(STATUS_SLOT) & SPIE) !== 0;
    const status = cpu.get(SSTATUS);
    cpu.set(SSTATUS, on ? status | BigInt(SIE) : status & ~BigInt(SIE));
  },
  isUser: (regs) => (regs.lo(STATUS_SLOT) & SPP) === 0,
  root: rootOf,
  postedRoot: (lo, hi) => ((lo >>> 0) + (hi & 0xfff) * 2 ** 32) * 4096,
  kernelRoot: (cpu, physicalOf) => physicalOf('swapper_pg_dir', rootOf(cpu)),
  tables: (ram, cpu) => new Riscv64Tables(ram, levels(cpu)),
  takesInterrupts: (cpu) => cpu.has(SSTATUS) && (cpu.get(SSTATUS) & BigInt(SIE)) !== 0n,
  current: (cpu) => cpu.get('tp'),
  postsCurrent: () => true,
  stubs: { mailbox: trapStubCode.riscv64 },
  returns: returnStubCode.riscv64,
  stubParameter({ btf }) {
    const offset = memberOffset(btf, 'task_struct', 'thread_info.cpu');
    return offset === null ? null : BigInt(offset);
  },
  handler: {
    symbol: 'do_trap_break',
    argument: 'a0',
    path: ['handle_exception', 'ret_from_exception', 'do_trap_break', 'handle_break', 'excp_vect_table'],
    leave(cpu) {
      cpu.set('pc', cpu.get('ra'));
      return true;
    },
    jump(from, to) {
      const distance = to - from;
      if (BigInt.asIntN(32, distance + 0x800n) !== distance + 0x800n) return null;
      const upper = Number(BigInt.asIntN(32, (distance + 0x800n) & ~0xfffn));
      const lower = Number(distance - BigInt(upper));
      const bytes = new Uint8Array(8);
      const words = new DataView(bytes.buffer);
      // auipc t0, upper; jr lower(t0)
      words.setInt32(0, upper | 0x297, true);
      words.setInt32(4, (lower << 20) | (5 << 15) | 0x67, true);
      return bytes;
    },
    isMovable: (bytes) => isMovable(bytes[0] | (bytes[1] << 8)),
  },
  room: {
    pageBytes: Number(LARGE),
    /** The end of the gigabyte that kernel text lies in: past the image nothing is ever mapped there. */
    *candidates(text) {
      const end = (text | 0x3fff_ffffn) + 1n;
      for (let at = end - LARGE; at > text; at -= LARGE) yield at;
    },
    upperShifts: (cpu) => [48, 39, 30].slice(5 - levels(cpu)),
    isEmpty: (lo, hi) => (lo | hi) === 0,
    nextTable: (lo, hi) => ((lo & 0xf) !== 1 ? -1 : ((lo >>> 10) + (hi & 0x3f_ffff) * 2 ** 22) * 4096),
    // Valid, readable, writable, executable, accessed, dirty, global.
    entry(address) {
      const frame = address / 4096;
      return [((frame % 2 ** 22) * 1024) | 0xef, Math.floor(frame / 2 ** 22)];
    },
  },
};

function levels(cpu: CpuRegisters): 3 | 4 | 5 {
  return parseSatp(cpu.get('satp'))?.levels ?? 3;
}

/** Whether the instruction that begins with the half word `low` neither reads nor changes the pc. */
function isMovable(low: number): boolean {
  if ((low & 3) === 3) {
    const opcode = low & 0x7f;
    return ![0x17, 0x63, 0x67, 0x6f, 0x73].includes(opcode);
  }
  const function3 = low >>> 13;
  if ((low & 3) === 1) return ![5, 6, 7].includes(function3);
  // c.jr, c.jalr, c.ebreak: no second register.
  return !((low & 3) === 2 && function3 === 4 && ((low >>> 2) & 31) === 0);
}

function rootOf(cpu: CpuRegisters): number {
  return parseSatp(cpu.get('satp'))?.root ?? -1;
}
