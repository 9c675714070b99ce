import { Arm64Tables } from '../../guest/index.js';
import type { CpuRegisters } from '../rsp/cpu-registers.js';
import { returnStubCode, trapStubCode } from './trap-stub-code.js';
import type { TrapArch } from './trap-arch.js';

const LARGE = 0x20_0000n;
/** How far `b` reaches, less the size of any text. */
const REACH = 0x600_0000n;
const PSTATE_SLOT = 33;

/** While a program runs, a table that maps nothing but the way into the kernel is in force; the kernel's lies behind it. */
const TRAMP_SWAPPER_OFFSET = 2 * 4096;

/** Words of instructions whose effect depends on where they stand: [mask, value]. */
const MOVES_PC: readonly (readonly [number, number])[] = [
  [0x1f00_0000, 0x1000_0000], // adr, adrp
  [0x7c00_0000, 0x1400_0000], // b, bl
  [0x7e00_0000, 0x3400_0000], // cbz, cbnz
  [0x7e00_0000, 0x3600_0000], // tbz, tbnz
  [0xfe00_0000, 0x5400_0000], // b.cond, bc.cond
  [0x3b00_0000, 0x1800_0000], // literal loads
  [0xfe00_0000, 0xd600_0000], // br, blr, ret, eret
  [0xff00_0000, 0xd400_0000], // svc, brk ...
];

/** Linux on arm64: brk goes through el1h_64_sync to brk_handler(unused, esr, regs). */
export const arm64Traps: TrapArch = {
  name: 'arm64',
  registers: {
    ...Object.fromEntries(Array.from({ length: 31 }, (_, i) => [`x${i}`, `x${i}`])),
    sp: 'sp',
    pc: 'pc',
    pstate: 'cpsr',
  },
  pc: 'pc',
  isUser: (regs) => (regs.lo(PSTATE_SLOT) & 0xf) === 0,
  root: (cpu) => tableAddress(cpu.get('TTBR0_EL1')),
  postedRoot: (lo, hi) => ((lo & ~0xfff) >>> 0) + (hi & 0xffff) * 2 ** 32,
  kernelRoot(cpu, physicalOf) {
    const inForce = tableAddress(cpu.get('TTBR1_EL1'));
    const swapper = inForce + TRAMP_SWAPPER_OFFSET;
    return physicalOf('_stext', inForce) === null && physicalOf('_stext', swapper) !== null ? swapper : inForce;
  },
  tables: (ram, cpu) => new Arm64Tables(ram, addressBits(cpu)),
  takesInterrupts: (cpu) => (cpu.get('cpsr') & 0x80n) === 0n,
  current: (cpu) => (cpu.has('SP_EL0') ? cpu.get('SP_EL0') : null),
  postsCurrent: () => true,
  stubs: { mailbox: trapStubCode.arm64 },
  returns: returnStubCode.arm64,
  stubParameter: () => 0n,
  handler: {
    symbol: 'brk_handler',
    argument: 'x2',
    path: [
      'vectors',
      'el1h_64_sync',
      'el1h_64_sync_handler',
      'el0t_64_sync',
      'el0t_64_sync_handler',
      'el1_dbg',
      'el0_dbg',
      'do_debug_exception',
      'brk_handler',
      'call_break_hook',
      'ret_to_kernel',
      'ret_to_user',
      'debug_exception_enter',
      'debug_exception_exit',
      'arm64_enter_el1_dbg',
      'arm64_exit_el1_dbg',
    ],
    leave(cpu) {
      cpu.set('pc', cpu.get('x30'));
      cpu.set('x0', 0n);
      return true;
    },
    jump(from, to) {
      const distance = to - from;
      if (distance % 4n !== 0n || BigInt.asIntN(28, distance) !== distance) return null;
      return word(0x1400_0000 | (Number(distance >> 2n) & 0x03ff_ffff));
    },
    isMovable(bytes) {
      const [a, b, c, d] = bytes;
      const value = a | (b << 8) | (c << 16) | (d << 24);
      return MOVES_PC.every(([mask, expected]) => (value & mask) !== (expected | 0));
    },
  },
  room: {
    pageBytes: Number(LARGE),
    /** The end of the space for modules, below the image: modules are placed from its other end. */
    *candidates(text) {
      const start = text - (text % LARGE);
      for (let at = start - LARGE; at > text - REACH; at -= LARGE) yield at;
    },
    upperShifts: (cpu) => (addressBits(cpu) === 39 ? [30] : [39, 30]),
    isEmpty: (lo, hi) => (lo | hi) === 0,
    nextTable: (lo, hi) => ((lo & 3) !== 3 ? -1 : ((lo & ~0xfff) >>> 0) + (hi & 0xffff) * 2 ** 32),
    table: (address) => [(address % 2 ** 32) | 3, Math.floor(address / 2 ** 32)],
    // A block of normal memory (Linux' attribute 0), inner shareable, accessed, not for EL0's execution.
    entry: (address) => [(address % 2 ** 32) | 0x701 | 0, (Math.floor(address / 2 ** 32) | 0x40_0000) >>> 0],
  },
};

/** From TCR_EL1.T1SZ. */
function addressBits(cpu: CpuRegisters): 39 | 48 {
  return 64n - ((cpu.get('TCR_EL1') >> 16n) & 63n) === 39n ? 39 : 48;
}

function tableAddress(ttbr: bigint): number {
  return Number(ttbr & 0xffff_ffff_f000n);
}

function word(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}
