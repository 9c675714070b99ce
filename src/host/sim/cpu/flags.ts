import { type CpuState, Flag } from './cpu-state.js';

/** Flags that are kept as they are, apart from the arithmetic ones. */
const SYSTEM = Flag.TF | Flag.IF | Flag.DF | Flag.NT | Flag.RF | Flag.AC | Flag.ID;

/** True for an even number of ones in the low byte. */
export function parity(value: number): boolean {
  const folded = value ^ (value >> 4);
  return ((0x9669 >>> (folded & 15)) & 1) !== 0;
}

/** rflags as pushf shows it. */
export function readFlags(cpu: CpuState): number {
  return (
    2 |
    cpu.sys |
    (cpu.fc < 0 ? Flag.CF : 0) |
    (parity(cpu.fp) ? Flag.PF : 0) |
    (cpu.fa & Flag.AF) |
    (cpu.fz === 0 ? Flag.ZF : 0) |
    (cpu.fs < 0 ? Flag.SF : 0) |
    (cpu.fo < 0 ? Flag.OF : 0)
  );
}

/** Sets all flags from an image; unknown bits are dropped. */
export function writeFlags(cpu: CpuState, value: number): void {
  cpu.sys = value & SYSTEM;
  writeArithmeticFlags(cpu, value);
  cpu.fo = (value & Flag.OF) !== 0 ? -1 : 0;
}

/** Sets what sahf sets: SF ZF AF PF CF. */
export function writeArithmeticFlags(cpu: CpuState, value: number): void {
  cpu.fc = (value & Flag.CF) !== 0 ? -1 : 0;
  cpu.fp = (value & Flag.PF) !== 0 ? 0 : 1;
  cpu.fa = value & Flag.AF;
  cpu.fz = (value & Flag.ZF) !== 0 ? 0 : 1;
  cpu.fs = (value & Flag.SF) !== 0 ? -1 : 0;
}

/** Whether condition code `code` (the low four bits of jcc, setcc, cmovcc) holds. */
export function condition(cpu: CpuState, code: number): boolean {
  switch (code) {
    case 0:
      return cpu.fo < 0;
    case 1:
      return cpu.fo >= 0;
    case 2:
      return cpu.fc < 0;
    case 3:
      return cpu.fc >= 0;
    case 4:
      return cpu.fz === 0;
    case 5:
      return cpu.fz !== 0;
    case 6:
      return cpu.fc < 0 || cpu.fz === 0;
    case 7:
      return cpu.fc >= 0 && cpu.fz !== 0;
    case 8:
      return cpu.fs < 0;
    case 9:
      return cpu.fs >= 0;
    case 10:
      return parity(cpu.fp);
    case 11:
      return !parity(cpu.fp);
    case 12:
      return (cpu.fs ^ cpu.fo) < 0;
    case 13:
      return (cpu.fs ^ cpu.fo) >= 0;
    case 14:
      return cpu.fz === 0 || (cpu.fs ^ cpu.fo) < 0;
    default:
      return cpu.fz !== 0 && (cpu.fs ^ cpu.fo) >= 0;
  }
}
