import { type CpuState, Flag, Reg } from './cpu-state.js';
import { Vector, pushesError } from './cpu-fault.js';
import { readFlags } from './flags.js';

/** Why an event is taken, for the gate's privilege check. */
export type EventSource = 'exception' | 'software' | 'interrupt';

/**
 * Enters the handler of `vector` through the IDT as the processor does in long mode: picks the stack (IST,
 * RSP0 on a change of privilege, else the current one, aligned), pushes ss rsp rflags cs rip and the error
 * code. Raises #GP, #NP or #PF through `cpu.fault` where the tables are wrong; CPU state is then as before.
 */
export function enterGate(cpu: CpuState, vector: number, error: number, source: EventSource): void {
  const { mmu, idt } = cpu;
  const wasUser = mmu.user;
  mmu.setUser(false);
  try {
    const selectorError = vector * 8 + 2;
    if (vector * 16 + 15 > idt.limit) cpu.fault.raise(Vector.GP, selectorError);
    const gateLo = (idt.lo + vector * 16) | 0;
    const gateHi = (idt.hi + (gateLo >>> 0 < idt.lo >>> 0 ? 1 : 0)) | 0;
    const low = mmu.read64(gateLo, gateHi);
    const middle = mmu.high;
    const targetHi = mmu.read32((gateLo + 8) | 0, gateHi);
    const type = (middle >>> 8) & 0xf;
    if (type !== 0xe && type !== 0xf) cpu.fault.raise(Vector.GP, selectorError);
    if (source === 'software' && ((middle >>> 13) & 3) < cpu.cpl) cpu.fault.raise(Vector.GP, selectorError);
    if ((middle & 0x8000) === 0) cpu.fault.raise(Vector.NP, selectorError);
    pushFrame(cpu, middle & 7, pushesError(vector) && source === 'exception' ? error : null);
    cpu.ipLo = (low & 0xffff) | (middle & ~0xffff);
    cpu.ipHi = targetHi;
    if (cpu.cpl !== 0) cpu.ss = 0;
    cpu.cs = (low >>> 16) & 0xfffc;
    cpu.sys &= ~(Flag.TF | Flag.NT | Flag.RF | (type === 0xe ? Flag.IF : 0));
    cpu.setCpl(0);
  } catch (fault) {
    mmu.setUser(wasUser);
    throw fault;
  }
}

function pushFrame(cpu: CpuState, ist: number, error: number | null): void {
  const { r, mmu } = cpu;
  let spLo = r[Reg.SP];
  let spHi = r[Reg.SP + 1];
  const oldLo = spLo;
  const oldHi = spHi;
  if (ist !== 0 || cpu.cpl !== 0) {
    const at = ist !== 0 ? 0x1c + 8 * ist : 4;
    const lo = (cpu.tssLo + at) | 0;
    spLo = mmu.read64(lo, (cpu.tssHi + (lo >>> 0 < at ? 1 : 0)) | 0);
    spHi = mmu.high;
  }
  spLo &= ~15;
  const words: [number, number][] = [
    [cpu.ss, 0],
    [oldLo, oldHi],
    [readFlags(cpu), 0],
    [cpu.cs, 0],
    [cpu.ipLo, cpu.ipHi],
  ];
  if (error !== null) words.push([error, 0]);
  for (const [lo, hi] of words) {
    if (spLo === 0) spHi = (spHi - 1) | 0;
    spLo = (spLo - 8) | 0;
    mmu.write64(spLo, spHi, lo, hi);
  }
  r[Reg.SP] = spLo;
  r[Reg.SP + 1] = spHi;
}
