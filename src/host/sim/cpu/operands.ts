import { type CpuState, Reg } from './cpu-state.js';
import { type Op, type OpHandler, OperandKind } from './op.js';

/**
 * How operands reach an `OperandFn`: registers are used in place, memory and immediates go through scratch
 * pairs. Memory that will be written is checked for that first, so that a fault leaves flags as they were.
 */

function runRegReg(cpu: CpuState, op: Op): void {
  op.fn(cpu, op.d, op.s);
}

function runRegImm(cpu: CpuState, op: Op): void {
  cpu.r[Reg.IMM] = op.immLo;
  cpu.r[Reg.IMM + 1] = op.immHi;
  op.fn(cpu, op.d, Reg.IMM);
}

function runRegMem(cpu: CpuState, op: Op): void {
  cpu.ea(op);
  cpu.loadEa(Reg.T1, op.size);
  op.fn(cpu, op.d, Reg.T1);
}

function runMemReg(cpu: CpuState, op: Op): void {
  cpu.ea(op);
  if (op.writes) cpu.mmu.checkWrite(cpu.eaLo, cpu.eaHi, op.size);
  cpu.loadEa(Reg.T0, op.size);
  op.fn(cpu, Reg.T0, op.s);
  if (op.writes) cpu.storeEa(Reg.T0, op.size);
}

function runMemImm(cpu: CpuState, op: Op): void {
  cpu.r[Reg.IMM] = op.immLo;
  cpu.r[Reg.IMM + 1] = op.immHi;
  cpu.ea(op);
  if (op.writes) cpu.mmu.checkWrite(cpu.eaLo, cpu.eaHi, op.size);
  cpu.loadEa(Reg.T0, op.size);
  op.fn(cpu, Reg.T0, Reg.IMM);
  if (op.writes) cpu.storeEa(Reg.T0, op.size);
}

/** Any mixture with AH, CH, DH or BH in it. */
function runHighByte(cpu: CpuState, op: Op): void {
  const r = cpu.r;
  if (op.dKind === OperandKind.MEMORY || op.sKind === OperandKind.MEMORY) cpu.ea(op);
  loadOperand(cpu, op, op.dKind, op.d, Reg.T0);
  loadOperand(cpu, op, op.sKind, op.s, Reg.T1);
  if (op.dKind === OperandKind.MEMORY && op.writes) cpu.mmu.checkWrite(cpu.eaLo, cpu.eaHi, 1);
  op.fn(cpu, Reg.T0, Reg.T1);
  if (!op.writes) return;
  if (op.dKind === OperandKind.MEMORY) cpu.storeEa(Reg.T0, 1);
  else if (op.dKind === OperandKind.HIGH_BYTE) setHighByte(cpu, op.d, r[Reg.T0]);
  else cpu.setRegister(op.d, 1, r[Reg.T0], 0);
}

function loadOperand(cpu: CpuState, op: Op, kind: number, w: number, into: number): void {
  const r = cpu.r;
  if (kind === OperandKind.MEMORY) cpu.loadEa(into, 1);
  else if (kind === OperandKind.HIGH_BYTE) r[into] = (r[w] >>> 8) & 0xff;
  else r[into] = kind === OperandKind.IMMEDIATE ? op.immLo & 0xff : r[w] & 0xff;
}

/** Writes AH, CH, DH or BH of the register at `w`. */
export function setHighByte(cpu: CpuState, w: number, value: number): void {
  cpu.r[w] = (cpu.r[w] & ~0xff00) | ((value & 0xff) << 8);
}

/** The wrapper for the operand kinds of `op`. */
export function operandRunner(op: Op): OpHandler {
  const { dKind, sKind } = op;
  if (dKind === OperandKind.HIGH_BYTE || sKind === OperandKind.HIGH_BYTE) return runHighByte;
  if (dKind === OperandKind.MEMORY) return sKind === OperandKind.IMMEDIATE ? runMemImm : runMemReg;
  if (sKind === OperandKind.MEMORY) return runRegMem;
  return sKind === OperandKind.IMMEDIATE ? runRegImm : runRegReg;
}
