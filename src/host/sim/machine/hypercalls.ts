import { PtRegs, x86PtRegs } from '../../../arch/index.js';
import { type CpuState, Reg } from '../cpu/cpu-state.js';
import { Access } from '../cpu/page-walk.js';
import type { X86Cpu } from '../cpu/x86-cpu.js';
import { JournalKind, KINDS_WITH_PATH } from './sim-journal.js';
import type { SimMachine } from './sim-machine.js';

/** Numbers of the hypercalls; docs/simulator.md says what they do. */
const Hypercall = {
  JOURNAL: 1,
  TRACEPOINT: 2,
  TRAP: 3,
  SAMPLE: 4,
  TIMER: 5,
  BLOCK: 6,
  BLOCK_DONE: 7,
  CONSOLE: 8,
  OOPS: 9,
  IPI: 10,
  RANDOM: 11,
  IDLE_ALL: 12,
  TASK_DEAD: 13,
} as const;

/** Flag of clone: the child shares the parent's memory. */
const CLONE_VM = 0x100;
const CONSOLE_MAX = 65_536;
const TEXT_MAX = 240;
const utf8 = new TextDecoder('utf-8');

/** Word indices of the arguments, first to fifth. */
const ARGS = [Reg.DI, Reg.SI, Reg.DX, Reg.R10, Reg.R8] as const;

/** Carries out the vmcall whose registers `cpu` holds. */
export function runHypercall(machine: SimMachine, cpu: X86Cpu): void {
  const r = cpu.r;
  const lo = r[Reg.DI];
  const hi = r[Reg.DI + 1];
  switch (r[Reg.AX]) {
    case Hypercall.JOURNAL:
      return appendJournal(machine, cpu);
    case Hypercall.TRACEPOINT:
      machine.observers.tracepoint?.(lo, r[Reg.SI], r[Reg.SI + 1], r[Reg.DX], cpu.number);
      return answer(cpu, 0, 0);
    case Hypercall.TRAP: {
      const { trap } = machine.observers;
      const handled = trap !== null && trap(lo, r[Reg.SI], r[Reg.SI + 1], cpu.number);
      return answer(cpu, handled ? 1 : 0, 0);
    }
    case Hypercall.SAMPLE:
      machine.observers.sample?.(lo, hi, cpu.number);
      return answer(cpu, 0, 0);
    case Hypercall.TIMER:
      machine.setTimer(cpu.number, lo === 0 && hi === 0 ? Infinity : (hi >>> 0) * 0x1_0000_0000 + (lo >>> 0));
      return answer(cpu, 0, 0);
    case Hypercall.BLOCK:
      return submitBlock(machine, cpu);
    case Hypercall.BLOCK_DONE: {
      const tag = machine.completed[cpu.number]?.shift();
      return tag === undefined ? answer(cpu, -1, -1) : answer(cpu, tag.lo, tag.hi);
    }
    case Hypercall.CONSOLE:
      machine.console += readText(cpu, lo, hi, Math.min(r[Reg.SI] >>> 0, CONSOLE_MAX), false);
      return answer(cpu, 0, 0);
    case Hypercall.OOPS:
      return giveUp(machine, cpu);
    case Hypercall.IPI:
      machine.cpus[lo]?.raiseInterrupt(r[Reg.SI] & 0xff);
      return answer(cpu, 0, 0);
    case Hypercall.RANDOM:
      return answer(cpu, machine.random.word(), machine.random.word());
    case Hypercall.IDLE_ALL:
      machine.finished = true;
      machine.stopSlice();
      return answer(cpu, 0, 0);
    case Hypercall.TASK_DEAD:
      machine.observers.taskDead?.(lo, hi);
      return answer(cpu, 0, 0);
    default:
      return answer(cpu, -38, -1);
  }
}

function answer(cpu: CpuState, lo: number, hi: number): void {
  cpu.r[Reg.AX] = lo;
  cpu.r[Reg.AX + 1] = hi;
}

function appendJournal(machine: SimMachine, cpu: X86Cpu): void {
  const { words, at } = machine.journal.append();
  const now = machine.now;
  words[at] = now | 0;
  words[at + 1] = Math.floor(now / 0x1_0000_0000);
  words[at + 2] = cpu.number;
  words[at + 3] = cpu.r[Reg.DI];
  for (let i = 0; i < 4; i++) {
    const w = ARGS[i + 1] as number;
    words[at + 4 + 2 * i] = cpu.r[w];
    words[at + 5 + 2 * i] = cpu.r[w + 1];
  }
  if (KINDS_WITH_PATH.has(cpu.r[Reg.DI])) {
    machine.journal.addText(readText(cpu, cpu.r[ARGS[2]], cpu.r[ARGS[2] + 1], TEXT_MAX, true));
  }
  if (cpu.r[Reg.DI] === JournalKind.FORK && (cpu.r[Reg.R10] & CLONE_VM) === 0) {
    machine.observers.fork?.(cpu.r[Reg.DX]);
  } else if (cpu.r[Reg.DI] === JournalKind.EXIT) {
    // The upper half of a task is its tgid; nothing of it is gone yet.
    machine.observers.leave?.(cpu.r[Reg.SI + 1]);
  }
  answer(cpu, 0, 0);
}

function submitBlock(machine: SimMachine, cpu: X86Cpu): void {
  const at = cpu.mmu.readable(cpu.r[Reg.DI], cpu.r[Reg.DI + 1]);
  const { view } = machine.physical;
  const sector = view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * 0x1_0000_0000;
  const request = {
    tag: { lo: view.getInt32(at, true), hi: view.getInt32(at + 4, true) },
    sector,
    bytes: view.getUint32(at + 16, true),
    write: view.getUint32(at + 20, true) !== 0,
    buffer: view.getUint32(at + 24, true) + view.getUint32(at + 28, true) * 0x1_0000_0000,
    cpu: cpu.number,
  };
  if (!machine.disk.submit(request, machine.now)) {
    const { bytes, buffer } = request;
    return machine.giveUp(`disk request of ${bytes} bytes at sector ${sector}, memory at ${buffer}`, cpu.number, null);
  }
  // The slice was planned before this completion was known.
  machine.stopSlice();
  answer(cpu, 0, 0);
}

function giveUp(machine: SimMachine, cpu: X86Cpu): void {
  const reason = readText(cpu, cpu.r[Reg.DI], cpu.r[Reg.DI + 1], TEXT_MAX, true);
  const lo = cpu.r[Reg.SI];
  const hi = cpu.r[Reg.SI + 1];
  const at = lo === 0 && hi === 0 ? -1 : cpu.mmu.translate(lo, hi, Access.READ, false);
  machine.giveUp(reason, cpu.number, at < 0 ? null : new PtRegs(x86PtRegs, machine.physical.words, at >> 2));
}

/** Text at a kernel address, as far as it is mapped. */
function readText(cpu: X86Cpu, lo: number, hi: number, max: number, terminated: boolean): string {
  const bytes: number[] = [];
  for (let i = 0; i < max; i++) {
    const low = (lo + i) | 0;
    const at = cpu.mmu.translate(low, low >>> 0 < lo >>> 0 ? (hi + 1) | 0 : hi, Access.READ, false);
    const byte = at < 0 ? 0 : cpu.mmu.physical.bytes[at];
    if (at < 0 || (terminated && byte === 0)) break;
    bytes.push(byte);
  }
  return utf8.decode(Uint8Array.from(bytes));
}
