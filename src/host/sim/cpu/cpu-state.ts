import { CpuFault } from './cpu-fault.js';
import { Mmu } from './mmu.js';
import type { Op } from './op.js';
import type { PhysicalMemory } from './physical-memory.js';

/** High word of no page. */
const NOWHERE = 0x7fff_ffff;

/** Word indices into `r`. Register n of the encoding is at 2n; four scratch pairs follow the sixteen registers. */
export const Reg = {
  AX: 0,
  CX: 2,
  DX: 4,
  BX: 6,
  SP: 8,
  BP: 10,
  SI: 12,
  DI: 14,
  R8: 16,
  R9: 18,
  R10: 20,
  R11: 22,
  T0: 32,
  T1: 34,
  IMM: 36,
  T2: 38,
} as const;

/** The bits of rflags. */
export const Flag = {
  CF: 0x1,
  PF: 0x4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  TF: 0x100,
  IF: 0x200,
  DF: 0x400,
  OF: 0x800,
  NT: 0x4000,
  RF: 0x10000,
  AC: 0x40000,
  ID: 0x200000,
} as const;

/** What an instruction may ask of the machine around its CPU. */
export interface CpuDevices {
  /** vmcall at CPL 0; registers carry the arguments. */
  hypercall(cpu: CpuState): void;
  /** Nanoseconds of virtual time for rdtsc, low and high word into `cpu.r` at `d`. */
  timestamp(cpu: CpuState, d: number): void;
}

/** A table register: base and limit of the GDT or IDT. */
export interface DescriptorTable {
  lo: number;
  hi: number;
  limit: number;
}

/**
 * Everything a processor knows: registers, flags, mode. Arithmetic flags are kept as the words they follow
 * from: CF, SF and OF are the sign bits of `fc`, `fs` and `fo`, ZF means `fz` is 0, PF is the parity of the
 * low byte of `fp`, AF is bit 4 of `fa`. The other flags are in `sys`.
 */
export class CpuState {
  readonly number: number;
  readonly fault = new CpuFault();
  readonly mmu: Mmu;
  readonly devices: CpuDevices;
  readonly r = new Int32Array(40);
  ipLo = 0;
  ipHi = 0;
  /** Where the instruction being executed begins. */
  startLo = 0;
  startHi = 0;
  fc = 0;
  fs = 0;
  fo = 0;
  fz = 1;
  fp = 1;
  fa = 0;
  sys = 0;
  cpl = 0;
  cs = 0x10;
  ss = 0x18;
  /** Address computed by `ea`. */
  eaLo = 0;
  eaHi = 0;
  /** FS base, GS base, KERNEL_GS_BASE as word pairs at 0, 2, 4. */
  readonly bases = new Int32Array(6);
  readonly gdt: DescriptorTable = { lo: 0, hi: 0, limit: 0 };
  readonly idt: DescriptorTable = { lo: 0, hi: 0, limit: 0 };
  tr = 0;
  tssLo = 0;
  tssHi = 0;
  /** CR0, CR2, CR4 as word pairs at 2n. */
  readonly cr = new Int32Array(18);
  /** EFER, STAR, LSTAR, SFMASK, IA32_PERF_CTL as word pairs at 0, 2, 4, 6, 8. */
  readonly msr = new Int32Array(10);
  halted = false;
  /** The next instruction runs before any interrupt is looked at. */
  shadow = false;
  /** Instructions left in this slice, and those taken away to leave the inner loop. */
  budget = 0;
  unused = 0;
  /** Leave `run` altogether after this instruction. */
  leaving = false;
  /** The page whose decoded instructions the loop is in. */
  pageLo = 0;
  pageHi = NOWHERE;

  constructor(number: number, physical: PhysicalMemory, devices: CpuDevices) {
    this.number = number;
    this.devices = devices;
    this.mmu = new Mmu(physical, this.fault);
    this.cr[0] = 0x8001_0033 | 0;
    this.msr[0] = 0x501;
  }

  /** Ends the inner loop after this instruction, so that flags, interrupts and mode are looked at anew. */
  reconsider(): void {
    this.unused += this.budget;
    this.budget = 0;
  }

  /** Makes the next fetch translate its address, also in the page that the loop is in. */
  leavePage(): void {
    this.pageHi = NOWHERE;
  }

  /** Ends `run` after this instruction. */
  leave(): void {
    this.leaving = true;
    this.reconsider();
  }

  setCpl(cpl: number): void {
    this.cpl = cpl;
    this.mmu.setUser(cpl === 3);
    this.forgetPage();
  }

  /** The next fetch translates again. */
  forgetPage(): void {
    this.leavePage();
  }

  /** Adds a sign-extended word to rip. */
  jumpBy(distance: number): void {
    const lo = (this.ipLo + distance) | 0;
    const carry = lo >>> 0 < distance >>> 0 ? 1 : 0;
    this.ipHi = (this.ipHi + (distance >> 31) + carry) | 0;
    this.ipLo = lo;
  }

  /** Computes the effective address of the memory operand into `eaLo/eaHi`. */
  ea(op: Op): void {
    const r = this.r;
    let lo = op.dispLo;
    let hi = op.dispHi;
    if (op.base >= 0) {
      const low = r[op.base];
      lo = (lo + low) | 0;
      hi = (hi + r[op.base + 1] + (lo >>> 0 < low >>> 0 ? 1 : 0)) | 0;
    } else if (op.ripRelative) {
      lo = (lo + this.ipLo) | 0;
      hi = (hi + this.ipHi + (lo >>> 0 < this.ipLo >>> 0 ? 1 : 0)) | 0;
    }
    if (op.index >= 0) {
      const low = r[op.index];
      const by = op.scale;
      const scaledLo = low << by;
      const scaledHi = by === 0 ? r[op.index + 1] : (r[op.index + 1] << by) | (low >>> (32 - by));
      lo = (lo + scaledLo) | 0;
      hi = (hi + scaledHi + (lo >>> 0 < scaledLo >>> 0 ? 1 : 0)) | 0;
    }
    if (op.address32) hi = 0;
    if (op.segment !== 0) {
      const at = (op.segment - 1) * 2;
      const low = this.bases[at];
      lo = (lo + low) | 0;
      hi = (hi + this.bases[at + 1] + (lo >>> 0 < low >>> 0 ? 1 : 0)) | 0;
    }
    this.eaLo = lo;
    this.eaHi = hi;
  }

  /** Reads `size` bytes at the effective address, zero-extended, into the pair at `w`. */
  loadEa(w: number, size: number): void {
    const { r, mmu, eaLo, eaHi } = this;
    if (size === 8) {
      r[w] = mmu.read64(eaLo, eaHi);
      r[w + 1] = mmu.high;
      return;
    }
    r[w] = size === 4 ? mmu.read32(eaLo, eaHi) : size === 1 ? mmu.read8(eaLo, eaHi) : mmu.read16(eaLo, eaHi);
    r[w + 1] = 0;
  }

  /** Writes the low `size` bytes of the pair at `w` to the effective address. */
  storeEa(w: number, size: number): void {
    const { r, mmu, eaLo, eaHi } = this;
    const low = r[w];
    if (size === 8) mmu.write64(eaLo, eaHi, low, r[w + 1]);
    else if (size === 4) mmu.write32(eaLo, eaHi, low);
    else if (size === 1) mmu.write8(eaLo, eaHi, low);
    else mmu.write16(eaLo, eaHi, low);
  }

  /** Writes the low `size` bytes of lo:hi to a register as the processor does: 32 bits clear the upper half. */
  setRegister(w: number, size: number, lo: number, hi: number): void {
    const r = this.r;
    if (size === 8) {
      r[w] = lo;
      r[w + 1] = hi;
    } else if (size === 4) {
      r[w] = lo;
      r[w + 1] = 0;
    } else if (size === 2) r[w] = (r[w] & ~0xffff) | (lo & 0xffff);
    else r[w] = (r[w] & ~0xff) | (lo & 0xff);
  }

  /** Pushes 64 bits; rsp moves only if the write succeeded. */
  push(lo: number, hi: number): void {
    const r = this.r;
    const spLo = (r[Reg.SP] - 8) | 0;
    const spHi = (r[Reg.SP + 1] - (r[Reg.SP] >>> 0 < 8 ? 1 : 0)) | 0;
    this.mmu.write64(spLo, spHi, lo, hi);
    r[Reg.SP] = spLo;
    r[Reg.SP + 1] = spHi;
  }

  /** Pops 64 bits; the low word is returned, the high one is in `mmu.high`. */
  pop(): number {
    const r = this.r;
    const low = this.mmu.read64(r[Reg.SP], r[Reg.SP + 1]);
    this.addSp(8);
    return low;
  }

  addSp(by: number): void {
    const r = this.r;
    const lo = (r[Reg.SP] + by) | 0;
    if (lo >>> 0 < by >>> 0) r[Reg.SP + 1] = (r[Reg.SP + 1] + 1) | 0;
    r[Reg.SP] = lo;
  }
}
