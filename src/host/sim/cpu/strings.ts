import { type CpuState, Flag, Reg } from './cpu-state.js';
import type { Op } from './op.js';

/** Values of `Op.extra` for string instructions. */
export const Repeat = { NONE: 0, REPE: 1, REPNE: 2 } as const;

/** Adds `by`, a small signed number, to the pair at `w`. */
function advance(cpu: CpuState, w: number, by: number): void {
  const r = cpu.r;
  const before = r[w];
  const lo = (before + by) | 0;
  r[w] = lo;
  if (by >= 0) r[w + 1] = (r[w + 1] + (lo >>> 0 < by ? 1 : 0)) | 0;
  else r[w + 1] = (r[w + 1] - (before >>> 0 < -by ? 1 : 0)) | 0;
}

function step(cpu: CpuState, op: Op): number {
  return (cpu.sys & Flag.DF) !== 0 ? -op.size : op.size;
}

function atDestination(cpu: CpuState): void {
  cpu.eaLo = cpu.r[Reg.DI];
  cpu.eaHi = cpu.r[Reg.DI + 1];
}

function atSource(cpu: CpuState, op: Op): void {
  let lo = cpu.r[Reg.SI];
  let hi = cpu.r[Reg.SI + 1];
  if (op.segment !== 0) {
    const low = cpu.bases[(op.segment - 1) * 2];
    lo = (lo + low) | 0;
    hi = (hi + cpu.bases[(op.segment - 1) * 2 + 1] + (lo >>> 0 < low >>> 0 ? 1 : 0)) | 0;
  }
  cpu.eaLo = lo;
  cpu.eaHi = hi;
}

function moveOnce(cpu: CpuState, op: Op): void {
  atSource(cpu, op);
  cpu.loadEa(Reg.T0, op.size);
  atDestination(cpu);
  cpu.storeEa(Reg.T0, op.size);
  advance(cpu, Reg.SI, step(cpu, op));
  advance(cpu, Reg.DI, step(cpu, op));
}

function storeOnce(cpu: CpuState, op: Op): void {
  atDestination(cpu);
  cpu.storeEa(Reg.AX, op.size);
  advance(cpu, Reg.DI, step(cpu, op));
}

function loadOnce(cpu: CpuState, op: Op): void {
  atSource(cpu, op);
  cpu.loadEa(Reg.T0, op.size);
  cpu.setRegister(Reg.AX, op.size, cpu.r[Reg.T0], cpu.r[Reg.T0 + 1]);
  advance(cpu, Reg.SI, step(cpu, op));
}

function compareOnce(cpu: CpuState, op: Op): void {
  atSource(cpu, op);
  cpu.loadEa(Reg.T0, op.size);
  atDestination(cpu);
  cpu.loadEa(Reg.T1, op.size);
  op.fn(cpu, Reg.T0, Reg.T1);
  advance(cpu, Reg.SI, step(cpu, op));
  advance(cpu, Reg.DI, step(cpu, op));
}

function scanOnce(cpu: CpuState, op: Op): void {
  atDestination(cpu);
  cpu.loadEa(Reg.T1, op.size);
  op.fn(cpu, Reg.AX, Reg.T1);
  advance(cpu, Reg.DI, step(cpu, op));
}

function countIsZero(cpu: CpuState): boolean {
  return (cpu.r[Reg.CX] | cpu.r[Reg.CX + 1]) === 0;
}

/** Once, or until rcx is 0. A fault in between leaves the registers at the failed element, as on hardware. */
function repeated(once: (cpu: CpuState, op: Op) => void, whole?: (cpu: CpuState, op: Op) => void) {
  return (cpu: CpuState, op: Op): void => {
    if (op.extra === Repeat.NONE) return once(cpu, op);
    while (!countIsZero(cpu)) {
      if (whole !== undefined && (cpu.sys & Flag.DF) === 0) whole(cpu, op);
      else {
        once(cpu, op);
        advance(cpu, Reg.CX, -1);
      }
    }
  };
}

function repeatedWhile(once: (cpu: CpuState, op: Op) => void) {
  return (cpu: CpuState, op: Op): void => {
    if (op.extra === Repeat.NONE) return once(cpu, op);
    while (!countIsZero(cpu)) {
      once(cpu, op);
      advance(cpu, Reg.CX, -1);
      if ((cpu.fz === 0) !== (op.extra === Repeat.REPE)) return;
    }
  };
}

/** How many elements of `size` from address `lo` fit into its page, at most rcx. */
function untilPageEnd(cpu: CpuState, lo: number, size: number): number {
  const room = Math.floor((0x1000 - (lo & 0xfff)) / size);
  const count = cpu.r[Reg.CX];
  return cpu.r[Reg.CX + 1] !== 0 || count < 0 || count > room ? room : count;
}

/** Stores as many elements as the page has room for in one go. */
function storeRun(cpu: CpuState, op: Op): void {
  atDestination(cpu);
  const count = untilPageEnd(cpu, cpu.eaLo, op.size);
  const r = cpu.r;
  const value = r[Reg.AX];
  const uniform = op.size === 1 || (value === 0 && (op.size < 8 || r[Reg.AX + 1] === 0));
  if (count < 2 || !uniform) {
    storeOnce(cpu, op);
    return advance(cpu, Reg.CX, -1);
  }
  const { physical } = cpu.mmu;
  const at = cpu.mmu.writable(cpu.eaLo, cpu.eaHi);
  if (physical.code[at >>> 12] !== 0) physical.invalidate(at >>> 12);
  physical.bytes.fill(value & 0xff, at, at + count * op.size);
  advance(cpu, Reg.DI, count * op.size);
  advance(cpu, Reg.CX, -count);
}

/** Moves as many elements as both pages have room for in one go, unless the copy would feed on itself. */
function moveRun(cpu: CpuState, op: Op): void {
  atSource(cpu, op);
  const { mmu, eaLo, eaHi } = cpu;
  const fromCount = untilPageEnd(cpu, eaLo, op.size);
  atDestination(cpu);
  const count = Math.min(fromCount, untilPageEnd(cpu, cpu.eaLo, op.size));
  if (count < 2) {
    moveOnce(cpu, op);
    return advance(cpu, Reg.CX, -1);
  }
  const from = mmu.readable(eaLo, eaHi);
  const to = mmu.writable(cpu.eaLo, cpu.eaHi);
  const length = count * op.size;
  if (to > from && to < from + length) {
    moveOnce(cpu, op);
    return advance(cpu, Reg.CX, -1);
  }
  const { physical } = mmu;
  if (physical.code[to >>> 12] !== 0) physical.invalidate(to >>> 12);
  physical.bytes.copyWithin(to, from, from + length);
  advance(cpu, Reg.SI, length);
  advance(cpu, Reg.DI, length);
  advance(cpu, Reg.CX, -count);
}

export const runMovs = repeated(moveOnce, moveRun);
export const runStos = repeated(storeOnce, storeRun);
export const runLods = repeated(loadOnce);
/** cmps and scas; `op.fn` is the comparison. */
export const runCmps = repeatedWhile(compareOnce);
export const runScas = repeatedWhile(scanOnce);
