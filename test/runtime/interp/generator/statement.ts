import type { Insn, InsnForm } from '../../../../src/runtime/index.js';
import * as isa from '../../../../src/runtime/isa/index.js';
import { MapArea, StackArea } from './layout.js';
import type { Random } from './random.js';

/**
 * Every statement finds and leaves: r0 to r8 initialised scalars, r9 a pointer to the map's data, the stack's
 * data area initialised. So any sequence of statements passes the verifier.
 */
export interface StatementContext {
  readonly random: Random;
  /** Entered blocks mark themselves at this index of the flags; counts up. */
  nextFlag: () => number;
  /** Registers that may be written. */
  readonly writable: readonly number[];
  readonly hasStackData: boolean;
}

const SCALARS = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const R9 = 9;
const R10 = 10;

/** An instruction of an arithmetic form on scalars. */
export function arithmetic(form: InsnForm, { random, writable }: StatementContext): Insn[] {
  const dst = random.pick(writable);
  const src = typeof form.src === 'number' ? form.src : random.pick(SCALARS);
  const off = form.off === 'any' ? 0 : form.off;
  return [isa.insn(form.code, dst, src, off, form.imm === 'any' ? immediate(form, random) : form.imm)];
}

function immediate(form: InsnForm, random: Random): number {
  const operation = form.code & 0xf0;
  const isShift = operation === isa.BPF_LSH || operation === isa.BPF_RSH || operation === isa.BPF_ARSH;
  if (isShift) return random.below((form.code & 7) === isa.BPF_ALU64 ? 64 : 32);
  const isDivision = operation === isa.BPF_DIV || operation === isa.BPF_MOD;
  const value = random.edgy() | 0;
  return isDivision && value === 0 ? 3 : value;
}

/** A 64-bit immediate load. */
export function wideImmediate({ random, writable }: StatementContext): Insn[] {
  const value = (BigInt(random.edgy()) << 32n) | BigInt(random.edgy());
  return isa.ldImm64(random.pick(writable), value);
}

export interface Place {
  readonly base: number;
  readonly off: number;
}

/** Somewhere in the map's data or the stack's. Unaligned only where Linux allows it. */
export function place({ random, hasStackData }: StatementContext, bytes: number, aligned: boolean): Place {
  if (hasStackData && random.chance(50)) {
    return { base: R10, off: StackArea.data + bytes * random.below(StackArea.dataSize / bytes) };
  }
  const off = random.below(MapArea.dataSize - bytes + 1);
  return { base: R9, off: aligned ? off - (off % bytes) : off };
}

const bytesOfSize: Readonly<Record<number, number>> = {
  [isa.BPF_B]: 1,
  [isa.BPF_H]: 2,
  [isa.BPF_W]: 4,
  [isa.BPF_DW]: 8,
};

export function accessBytes(form: InsnForm): number {
  return bytesOfSize[form.code & 0x18];
}

/** Loads, stores, acquire, release. */
export function memoryAccess(form: InsnForm, context: StatementContext): Insn[] {
  const { random, writable } = context;
  const isAtomic = (form.code & 0xe0) === isa.BPF_ATOMIC;
  const { base, off } = place(context, accessBytes(form), isAtomic);
  const imm = form.imm === 'any' ? random.edgy() : form.imm;
  if (form.dst === 'write') return [isa.insn(form.code, random.pick(writable), base, off, imm)];
  const src = typeof form.src === 'number' ? form.src : random.pick(SCALARS);
  return [isa.insn(form.code, base, src, off, imm)];
}

/**
 * Read-modify-write; cmpxchg finds what it looks for every other time.
 *
 * Those that fetch stay off the stack: the verifier of Linux 6.18 does not carry the need for precision from
 * the fetched register to the stack slot, prunes paths on which the slot holds something else, and then runs
 * them with a branch removed. This generator found that within 2,000 programs.
 */
export function atomic(form: InsnForm, context: StatementContext): Insn[] {
  const { random, writable } = context;
  const bytes = accessBytes(form);
  const fetches = form.src === 'update' || form.name.startsWith('cmpxchg');
  const { base, off } = place({ ...context, hasStackData: context.hasStackData && !fetches }, bytes, true);
  const src = form.src === 'update' ? random.pick(writable.filter((r) => r !== 0)) : random.pick(SCALARS);
  const prepared = form.name.startsWith('cmpxchg') && writable.includes(0) && random.chance(60);
  const load = isa.ldx(bytes === 4 ? isa.BPF_W : isa.BPF_DW, 0, base, off);
  const operation = isa.insn(form.code, base, src, off, form.imm as number);
  return prepared ? [load, operation] : [operation];
}

/** Loads a scalar through a pointer that an immediate load made. */
export function throughMapValue({ random, writable }: StatementContext, map: number): Insn[] {
  const register = random.pick(writable);
  const offset = MapArea.data + random.below(MapArea.dataSize - 8);
  const pointer = isa.ldImm64(register, (BigInt(offset) << 32n) | BigInt(map), 2);
  return [...pointer, isa.ldx(isa.BPF_DW, register, register, 0)];
}

/** Marks a block as entered. */
export function mark(context: StatementContext): Insn {
  return isa.st(isa.BPF_B, R9, MapArea.flags - MapArea.data + context.nextFlag(), 1);
}

/** Gives the registers that a call destroyed values again. */
export function reload(registers: readonly number[], random: Random): Insn[] {
  return registers.map((register) => isa.ldx(isa.BPF_DW, register, R9, 8 * random.below(MapArea.dataSize / 8)));
}

/** The condition of a jump form over `distance` instructions; every fourth compares equals or neighbours. */
export function condition(form: InsnForm, { random, writable }: StatementContext, distance: number): Insn[] {
  const dst = random.pick(writable);
  const src = typeof form.src === 'number' ? form.src : random.pick(SCALARS);
  const imm = form.imm === 'any' ? random.edgy() | 0 : 0;
  const jump = isa.insn(form.code, dst, src, distance, imm);
  if (!random.chance(25)) return [jump];
  const equal = form.imm === 'any' ? isa.mov64Imm(dst, imm) : isa.mov64Reg(dst, src);
  return random.chance(60) ? [equal, jump] : [equal, isa.alu64Imm(isa.BPF_ADD, dst, random.pick([1, -1])), jump];
}
