import { type CpuState, Flag, Reg } from './cpu-state.js';
import { Vector } from './cpu-fault.js';
import { condition, readFlags, writeArithmeticFlags, writeFlags } from './flags.js';
import { type Op, OperandKind } from './op.js';

export function runNop(): void {}

export function runJmp(cpu: CpuState, op: Op): void {
  cpu.jumpBy(op.immLo);
}

export function runJcc(cpu: CpuState, op: Op): void {
  if (condition(cpu, op.extra)) cpu.jumpBy(op.immLo);
}

export function runCall(cpu: CpuState, op: Op): void {
  cpu.push(cpu.ipLo, cpu.ipHi);
  cpu.jumpBy(op.immLo);
}

export function runRet(cpu: CpuState, op: Op): void {
  const lo = cpu.pop();
  cpu.ipLo = lo;
  cpu.ipHi = cpu.mmu.high;
  if (op.immLo !== 0) cpu.addSp(op.immLo & 0xffff);
}

/** The operand of jmp, call and push: `lo` returned, `hi` in `mmu.high`. */
function readTarget(cpu: CpuState, op: Op): number {
  if (op.dKind === OperandKind.MEMORY) {
    cpu.ea(op);
    return cpu.mmu.read64(cpu.eaLo, cpu.eaHi);
  }
  cpu.mmu.high = cpu.r[op.d + 1];
  return cpu.r[op.d];
}

export function runJmpIndirect(cpu: CpuState, op: Op): void {
  cpu.ipLo = readTarget(cpu, op);
  cpu.ipHi = cpu.mmu.high;
}

export function runCallIndirect(cpu: CpuState, op: Op): void {
  const lo = readTarget(cpu, op);
  const hi = cpu.mmu.high;
  cpu.push(cpu.ipLo, cpu.ipHi);
  cpu.ipLo = lo;
  cpu.ipHi = hi;
}

/** loopne, loope, loop, jrcxz: `op.extra` 0 to 3. */
export function runLoop(cpu: CpuState, op: Op): void {
  const r = cpu.r;
  const wide = !op.address32;
  if (op.extra === 3) {
    if (r[Reg.CX] === 0 && (!wide || r[Reg.CX + 1] === 0)) cpu.jumpBy(op.immLo);
    return;
  }
  const lo = (r[Reg.CX] - 1) | 0;
  const hi = wide ? (r[Reg.CX + 1] - (lo === -1 ? 1 : 0)) | 0 : 0;
  r[Reg.CX] = lo;
  r[Reg.CX + 1] = hi;
  if ((lo | hi) === 0) return;
  if (op.extra === 2 || (cpu.fz === 0) === (op.extra === 1)) cpu.jumpBy(op.immLo);
}

export function runPushReg(cpu: CpuState, op: Op): void {
  cpu.push(cpu.r[op.d], cpu.r[op.d + 1]);
}

export function runPushOperand(cpu: CpuState, op: Op): void {
  const lo = readTarget(cpu, op);
  cpu.push(lo, cpu.mmu.high);
}

export function runPushImmediate(cpu: CpuState, op: Op): void {
  cpu.push(op.immLo, op.immHi);
}

export function runPopReg(cpu: CpuState, op: Op): void {
  const lo = cpu.pop();
  cpu.r[op.d] = lo;
  cpu.r[op.d + 1] = cpu.mmu.high;
}

/** pop to memory: the address is computed with rsp already moved, which a fault takes back. */
export function runPopMemory(cpu: CpuState, op: Op): void {
  const r = cpu.r;
  const spLo = r[Reg.SP];
  const spHi = r[Reg.SP + 1];
  const lo = cpu.pop();
  const hi = cpu.mmu.high;
  cpu.ea(op);
  const afterLo = r[Reg.SP];
  const afterHi = r[Reg.SP + 1];
  r[Reg.SP] = spLo;
  r[Reg.SP + 1] = spHi;
  cpu.mmu.write64(cpu.eaLo, cpu.eaHi, lo, hi);
  r[Reg.SP] = afterLo;
  r[Reg.SP + 1] = afterHi;
}

export function runLeave(cpu: CpuState): void {
  const r = cpu.r;
  const lo = cpu.mmu.read64(r[Reg.BP], r[Reg.BP + 1]);
  r[Reg.SP] = r[Reg.BP];
  r[Reg.SP + 1] = r[Reg.BP + 1];
  cpu.addSp(8);
  r[Reg.BP] = lo;
  r[Reg.BP + 1] = cpu.mmu.high;
}

export function runPushf(cpu: CpuState): void {
  cpu.push(readFlags(cpu) & ~Flag.RF, 0);
}

export function runPopf(cpu: CpuState): void {
  const value = cpu.pop();
  const interrupts = cpu.cpl === 0 ? value & Flag.IF : cpu.sys & Flag.IF;
  writeFlags(cpu, (value & ~(Flag.IF | Flag.RF)) | interrupts);
  cpu.reconsider();
}

export function runSahf(cpu: CpuState): void {
  writeArithmeticFlags(cpu, cpu.r[Reg.AX] >>> 8);
}

export function runLahf(cpu: CpuState): void {
  cpu.r[Reg.AX] = (cpu.r[Reg.AX] & ~0xff00) | ((readFlags(cpu) & 0xff) << 8);
}

/** clc, stc, cmc, cld, std: `op.extra` is the opcode. */
export function runFlagOp(cpu: CpuState, op: Op): void {
  if (op.extra === 0xf8) cpu.fc = 0;
  else if (op.extra === 0xf9) cpu.fc = -1;
  else if (op.extra === 0xf5) cpu.fc = ~cpu.fc;
  else if (op.extra === 0xfc) cpu.sys &= ~Flag.DF;
  else cpu.sys |= Flag.DF;
}

export function runInt3(cpu: CpuState): void {
  cpu.fault.raiseSoftware(Vector.BP);
}

export function runInt(cpu: CpuState, op: Op): void {
  cpu.fault.raiseSoftware(op.immLo & 0xff);
}

export function runUndefined(cpu: CpuState): void {
  cpu.fault.raise(Vector.UD);
}
