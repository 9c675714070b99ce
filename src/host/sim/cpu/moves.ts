import { type CpuState, Reg } from './cpu-state.js';
import { condition } from './flags.js';
import { type Op, type OpHandler, type OperandFn, OperandKind } from './op.js';
import { setHighByte } from './operands.js';

/** mov between operands of `size` bytes. */
export function movFn(size: number): OperandFn {
  if (size === 8) {
    return (cpu, d, s) => {
      const r = cpu.r;
      r[d] = r[s];
      r[d + 1] = r[s + 1];
    };
  }
  if (size === 4) {
    return (cpu, d, s) => {
      const r = cpu.r;
      r[d] = r[s];
      r[d + 1] = 0;
    };
  }
  return (cpu, d, s) => cpu.setRegister(d, size, cpu.r[s], 0);
}

/** mov to memory from a register: no read first. */
export function runStore(cpu: CpuState, op: Op): void {
  cpu.ea(op);
  cpu.storeEa(op.s, op.size);
}

/** mov to memory of an immediate. */
export function runStoreImmediate(cpu: CpuState, op: Op): void {
  cpu.r[Reg.IMM] = op.immLo;
  cpu.r[Reg.IMM + 1] = op.immHi;
  cpu.ea(op);
  cpu.storeEa(Reg.IMM, op.size);
}

export function runLoad64(cpu: CpuState, op: Op): void {
  cpu.ea(op);
  const { mmu, r } = cpu;
  r[op.d] = mmu.read64(cpu.eaLo, cpu.eaHi);
  r[op.d + 1] = mmu.high;
}

export function runLoad32(cpu: CpuState, op: Op): void {
  cpu.ea(op);
  cpu.r[op.d] = cpu.mmu.read32(cpu.eaLo, cpu.eaHi);
  cpu.r[op.d + 1] = 0;
}

export function runMovImmediate(cpu: CpuState, op: Op): void {
  cpu.r[op.d] = op.immLo;
  cpu.r[op.d + 1] = op.size === 4 ? 0 : op.immHi;
}

/** movzx, movsx, movsxd: `op.extra` is the source's size, negative for sign extension. */
export function runExtend(cpu: CpuState, op: Op): void {
  const r = cpu.r;
  const from = Math.abs(op.extra);
  let value: number;
  if (op.sKind === OperandKind.MEMORY) {
    cpu.ea(op);
    cpu.loadEa(Reg.T1, from);
    value = r[Reg.T1];
  } else value = op.sKind === OperandKind.HIGH_BYTE ? r[op.s] >>> 8 : r[op.s];
  const shift = 32 - 8 * from;
  value = op.extra < 0 ? (value << shift) >> shift : (value << shift) >>> shift;
  cpu.setRegister(op.d, op.size, value, op.extra < 0 ? value >> 31 : 0);
}

export function runLea(cpu: CpuState, op: Op): void {
  cpu.ea(op);
  cpu.setRegister(op.d, op.size, cpu.eaLo, cpu.eaHi);
}

/** cmovcc: memory is read, and a 32-bit destination cleared above, whether or not the condition holds. */
export function runCmov(cpu: CpuState, op: Op): void {
  const r = cpu.r;
  let from = op.s;
  if (op.sKind === OperandKind.MEMORY) {
    cpu.ea(op);
    cpu.loadEa(Reg.T1, op.size);
    from = Reg.T1;
  }
  if (condition(cpu, op.extra)) cpu.setRegister(op.d, op.size, r[from], r[from + 1]);
  else if (op.size === 4) r[op.d + 1] = 0;
}

export function runSetcc(cpu: CpuState, op: Op): void {
  const value = condition(cpu, op.extra) ? 1 : 0;
  if (op.dKind === OperandKind.MEMORY) {
    cpu.ea(op);
    cpu.mmu.write8(cpu.eaLo, cpu.eaHi, value);
  } else if (op.dKind === OperandKind.HIGH_BYTE) setHighByte(cpu, op.d, value);
  else cpu.setRegister(op.d, 1, value, 0);
}

/** Reads the destination operand into `into`; memory is checked for the write to come. */
function readDestination(cpu: CpuState, op: Op, into: number): void {
  const r = cpu.r;
  if (op.dKind === OperandKind.MEMORY) {
    cpu.ea(op);
    cpu.mmu.checkWrite(cpu.eaLo, cpu.eaHi, op.size);
    cpu.loadEa(into, op.size);
    return;
  }
  r[into] = op.dKind === OperandKind.HIGH_BYTE ? r[op.d] >>> 8 : r[op.d];
  r[into + 1] = r[op.d + 1];
}

function writeOperand(cpu: CpuState, op: Op, kind: number, w: number, from: number): void {
  const r = cpu.r;
  if (kind === OperandKind.MEMORY) cpu.storeEa(from, op.size);
  else if (kind === OperandKind.HIGH_BYTE) setHighByte(cpu, w, r[from]);
  else cpu.setRegister(w, op.size, r[from], r[from + 1]);
}

function readSource(cpu: CpuState, op: Op, into: number): void {
  const r = cpu.r;
  r[into] = op.sKind === OperandKind.HIGH_BYTE ? r[op.s] >>> 8 : r[op.s];
  r[into + 1] = r[op.s + 1];
}

export function runXchg(cpu: CpuState, op: Op): void {
  readDestination(cpu, op, Reg.T0);
  readSource(cpu, op, Reg.T1);
  writeOperand(cpu, op, op.dKind, op.d, Reg.T1);
  writeOperand(cpu, op, op.sKind, op.s, Reg.T0);
}

/** xadd; `op.fn` is the addition. */
export function runXadd(cpu: CpuState, op: Op): void {
  const r = cpu.r;
  readDestination(cpu, op, Reg.T0);
  readSource(cpu, op, Reg.T1);
  r[Reg.T2] = r[Reg.T0];
  r[Reg.T2 + 1] = r[Reg.T0 + 1];
  op.fn(cpu, Reg.T0, Reg.T1);
  writeOperand(cpu, op, op.sKind, op.s, Reg.T2);
  writeOperand(cpu, op, op.dKind, op.d, Reg.T0);
}

/** cmpxchg; `op.fn` is the comparison. */
export function runCmpxchg(cpu: CpuState, op: Op): void {
  const r = cpu.r;
  readDestination(cpu, op, Reg.T0);
  readSource(cpu, op, Reg.T1);
  r[Reg.T2] = r[Reg.AX];
  r[Reg.T2 + 1] = r[Reg.AX + 1];
  op.fn(cpu, Reg.T2, Reg.T0);
  if (cpu.fz === 0) return writeOperand(cpu, op, op.dKind, op.d, Reg.T1);
  cpu.setRegister(Reg.AX, op.size, r[Reg.T0], r[Reg.T0 + 1]);
}

/** cmpxchg8b (size 4) and cmpxchg16b (size 8): only ZF changes. */
export function runCmpxchgPair(cpu: CpuState, op: Op): void {
  const r = cpu.r;
  const { size } = op;
  cpu.ea(op);
  if (size === 8 && (cpu.eaLo & 15) !== 0) cpu.fault.raise(13);
  cpu.mmu.checkWrite(cpu.eaLo, cpu.eaHi, 2 * size);
  const { eaLo, eaHi } = cpu;
  cpu.loadEa(Reg.T0, size);
  moveEa(cpu, eaLo, eaHi, size);
  cpu.loadEa(Reg.T1, size);
  const equal = same(r, Reg.T0, Reg.AX, size) && same(r, Reg.T1, Reg.DX, size);
  cpu.fz = equal ? 0 : 1;
  if (!equal) {
    cpu.setRegister(Reg.AX, size, r[Reg.T0], r[Reg.T0 + 1]);
    cpu.setRegister(Reg.DX, size, r[Reg.T1], r[Reg.T1 + 1]);
    return;
  }
  cpu.storeEa(Reg.CX, size);
  cpu.eaLo = eaLo;
  cpu.eaHi = eaHi;
  cpu.storeEa(Reg.BX, size);
}

function moveEa(cpu: CpuState, lo: number, hi: number, by: number): void {
  cpu.eaLo = (lo + by) | 0;
  cpu.eaHi = (hi + (cpu.eaLo >>> 0 < by ? 1 : 0)) | 0;
}

function same(r: Int32Array, a: number, b: number, size: number): boolean {
  return r[a] === r[b] && (size === 4 || r[a + 1] === r[b + 1]);
}

/** cbw, cwde, cdqe: the lower half of the accumulator sign-extended to `op.size`. */
export const runExtendAccumulator: OpHandler = (cpu, op) => {
  const low = cpu.r[Reg.AX];
  const shift = 32 - 4 * op.size;
  const value = op.size === 8 ? low : (low << shift) >> shift;
  cpu.setRegister(Reg.AX, op.size, value, value >> 31);
};

/** cwd, cdq, cqo: rdx filled with the accumulator's sign. */
export const runSignToDx: OpHandler = (cpu, op) => {
  const r = cpu.r;
  const sign = op.size === 8 ? r[Reg.AX + 1] >> 31 : (r[Reg.AX] << (32 - 8 * op.size)) >> 31;
  cpu.setRegister(Reg.DX, op.size, sign, sign);
};
