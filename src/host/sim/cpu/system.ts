import { type CpuState, Flag, Reg } from './cpu-state.js';
import { Vector } from './cpu-fault.js';
import { readFlags, writeFlags } from './flags.js';
import { type Op, OperandKind } from './op.js';

/** #GP unless in the kernel. */
function privileged(cpu: CpuState): void {
  if (cpu.cpl !== 0) cpu.fault.raise(Vector.GP);
}

export function runHlt(cpu: CpuState): void {
  privileged(cpu);
  cpu.halted = true;
  cpu.leave();
}

export function runCli(cpu: CpuState): void {
  privileged(cpu);
  cpu.sys &= ~Flag.IF;
}

/** sti: interrupts come after the next instruction. */
export function runSti(cpu: CpuState): void {
  privileged(cpu);
  if ((cpu.sys & Flag.IF) === 0) cpu.shadow = true;
  cpu.sys |= Flag.IF;
  cpu.reconsider();
}

export function runSyscall(cpu: CpuState): void {
  const { r, msr } = cpu;
  r[Reg.CX] = cpu.ipLo;
  r[Reg.CX + 1] = cpu.ipHi;
  r[Reg.R11] = readFlags(cpu) & ~Flag.RF;
  r[Reg.R11 + 1] = 0;
  writeFlags(cpu, r[Reg.R11] & ~msr[6]);
  cpu.ipLo = msr[4];
  cpu.ipHi = msr[5];
  cpu.cs = msr[3] & 0xfffc;
  cpu.ss = cpu.cs + 8;
  cpu.setCpl(0);
  cpu.reconsider();
}

export function runSysret(cpu: CpuState): void {
  privileged(cpu);
  const { r, msr } = cpu;
  cpu.ipLo = r[Reg.CX];
  cpu.ipHi = r[Reg.CX + 1];
  writeFlags(cpu, r[Reg.R11] & ~Flag.RF);
  cpu.cs = ((msr[3] >>> 16) + 16) | 3;
  cpu.ss = ((msr[3] >>> 16) + 8) | 3;
  cpu.setCpl(3);
  cpu.reconsider();
}

/** iretq: all five values are read before any takes effect. */
export function runIretq(cpu: CpuState): void {
  const { r, mmu } = cpu;
  const spLo = r[Reg.SP];
  const spHi = r[Reg.SP + 1];
  const words = frame;
  for (let i = 0; i < 5; i++) {
    const lo = (spLo + 8 * i) | 0;
    words[2 * i] = mmu.read64(lo, (spHi + (lo >>> 0 < spLo >>> 0 ? 1 : 0)) | 0);
    words[2 * i + 1] = mmu.high;
  }
  const cs = words[2] & 0xffff;
  if ((cs & 3) < cpu.cpl) cpu.fault.raise(Vector.GP, cs & 0xfffc);
  const flags = words[4];
  const interrupts = cpu.cpl === 0 ? flags & Flag.IF : cpu.sys & Flag.IF;
  writeFlags(cpu, (flags & ~Flag.IF) | interrupts);
  cpu.ipLo = words[0];
  cpu.ipHi = words[1];
  cpu.cs = cs;
  r[Reg.SP] = words[6];
  r[Reg.SP + 1] = words[7];
  cpu.ss = words[8] & 0xffff;
  cpu.setCpl(cs & 3);
  cpu.reconsider();
}

const frame = new Int32Array(10);

export function runSwapgs(cpu: CpuState): void {
  privileged(cpu);
  const { bases } = cpu;
  for (const word of [2, 3]) {
    const active = bases[word];
    bases[word] = bases[word + 2];
    bases[word + 2] = active;
  }
}

/** lgdt and lidt: `op.extra` 2 and 3. */
export function runLoadTable(cpu: CpuState, op: Op): void {
  privileged(cpu);
  cpu.ea(op);
  const { mmu, eaLo, eaHi } = cpu;
  const limit = mmu.read16(eaLo, eaHi);
  const table = op.extra === 2 ? cpu.gdt : cpu.idt;
  const baseLo = (eaLo + 2) | 0;
  table.lo = mmu.read64(baseLo, (eaHi + (baseLo >>> 0 < 2 ? 1 : 0)) | 0);
  table.hi = mmu.high;
  table.limit = limit;
}

/** ltr: takes the TSS base from its 16-byte descriptor. */
export function runLtr(cpu: CpuState, op: Op): void {
  privileged(cpu);
  const selector = readWord(cpu, op);
  const offset = selector & 0xfff8;
  if (offset === 0 || offset + 15 > cpu.gdt.limit) cpu.fault.raise(Vector.GP, offset);
  const lo = (cpu.gdt.lo + offset) | 0;
  const hi = (cpu.gdt.hi + (lo >>> 0 < offset ? 1 : 0)) | 0;
  const low = cpu.mmu.read64(lo, hi);
  const high = cpu.mmu.high;
  if ((high & 0x1f00) !== 0x0900 && (high & 0x1f00) !== 0x0b00) cpu.fault.raise(Vector.GP, offset);
  cpu.tr = selector;
  cpu.tssHi = cpu.mmu.read32((lo + 8) | 0, hi);
  cpu.tssLo = (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff00_0000);
}

function readWord(cpu: CpuState, op: Op): number {
  if (op.dKind !== OperandKind.MEMORY) return cpu.r[op.d] & 0xffff;
  cpu.ea(op);
  return cpu.mmu.read16(cpu.eaLo, cpu.eaHi);
}

/** mov from CR `op.extra` to the register `op.d`. */
export function runReadControl(cpu: CpuState, op: Op): void {
  privileged(cpu);
  cpu.r[op.d] = cpu.cr[2 * op.extra];
  cpu.r[op.d + 1] = cpu.cr[2 * op.extra + 1];
}

/** mov to CR `op.extra` from the register `op.d`. */
export function runWriteControl(cpu: CpuState, op: Op): void {
  privileged(cpu);
  const lo = cpu.r[op.d];
  cpu.cr[2 * op.extra] = lo;
  cpu.cr[2 * op.extra + 1] = cpu.r[op.d + 1];
  if (op.extra === 0) cpu.mmu.writeProtect = (lo & 0x10000) !== 0;
  if (op.extra === 3) cpu.mmu.cr3 = (lo & ~0xfff) >>> 0;
  cpu.mmu.flush();
  cpu.forgetPage();
  cpu.reconsider();
}

export function runInvlpg(cpu: CpuState, op: Op): void {
  privileged(cpu);
  cpu.ea(op);
  cpu.mmu.flushPage(cpu.eaLo, cpu.eaHi);
  cpu.forgetPage();
  cpu.reconsider();
}

const EFER = 0xc000_0080 | 0;
const FS_BASE = 0xc000_0100 | 0;
/** What the kernel asks of the clock; nothing becomes of it. */
const IA32_PERF_CTL = 0x199;
const MSRS = [EFER, EFER + 1, EFER + 2, EFER + 4, IA32_PERF_CTL];

/** Word array and index of the MSR in ecx, or #GP. */
function locateMsr(cpu: CpuState): { words: Int32Array; at: number } {
  const number = cpu.r[Reg.CX];
  if (number >= FS_BASE && number <= FS_BASE + 2) return { words: cpu.bases, at: 2 * (number - FS_BASE) };
  const at = MSRS.indexOf(number);
  if (at < 0) return cpu.fault.raise(Vector.GP);
  return { words: cpu.msr, at: 2 * at };
}

export function runRdmsr(cpu: CpuState): void {
  privileged(cpu);
  const { words, at } = locateMsr(cpu);
  cpu.setRegister(Reg.AX, 4, words[at], 0);
  cpu.setRegister(Reg.DX, 4, words[at + 1], 0);
}

export function runWrmsr(cpu: CpuState): void {
  privileged(cpu);
  const { words, at } = locateMsr(cpu);
  words[at] = cpu.r[Reg.AX];
  words[at + 1] = cpu.r[Reg.DX];
}

export function runRdtsc(cpu: CpuState): void {
  cpu.devices.timestamp(cpu, Reg.T0);
  const lo = cpu.r[Reg.T0];
  const hi = cpu.r[Reg.T0 + 1];
  cpu.setRegister(Reg.AX, 4, lo, 0);
  cpu.setRegister(Reg.DX, 4, hi, 0);
}

export function runVmcall(cpu: CpuState): void {
  if (cpu.cpl !== 0) cpu.fault.raise(Vector.UD);
  cpu.devices.hypercall(cpu);
}
