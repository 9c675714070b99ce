import { type CpuState, Reg } from './cpu-state.js';
import { Alu, aluFn } from './alu.js';
import type { OperandFn } from './op.js';

/** inc, dec: arithmetic with 1 that leaves CF alone. */
function byOne(operation: number, size: number): OperandFn {
  const apply = aluFn(operation, size);
  return (cpu, d) => {
    const carry = cpu.fc;
    cpu.r[Reg.IMM] = 1;
    cpu.r[Reg.IMM + 1] = 0;
    apply(cpu, d, Reg.IMM);
    cpu.fc = carry;
  };
}

export function incFn(size: number): OperandFn {
  return byOne(Alu.ADD, size);
}

export function decFn(size: number): OperandFn {
  return byOne(Alu.SUB, size);
}

/** neg: 0 - d. */
export function negFn(size: number): OperandFn {
  const subtract = aluFn(Alu.SUB, size);
  return (cpu, d) => {
    const r = cpu.r;
    r[Reg.T2] = 0;
    r[Reg.T2 + 1] = 0;
    subtract(cpu, Reg.T2, d);
    cpu.setRegister(d, size, r[Reg.T2], r[Reg.T2 + 1]);
  };
}

/** not: no flags. */
export function notFn(size: number): OperandFn {
  return (cpu: CpuState, d: number) => {
    const r = cpu.r;
    cpu.setRegister(d, size, ~r[d], ~r[d + 1]);
  };
}
