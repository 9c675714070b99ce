import type { Random } from '../../host/sim/random.js';
import { WINDOW_BYTES, type StepCase } from './stepped-machine.js';

/** A kind of instruction: fixed bits, and those that operands may take any value in. */
export interface StepForm {
  readonly name: string;
  readonly size: 2 | 4;
  readonly fixed: number;
  readonly operands: number;
}

/** The registers that make up an instruction's address and the distance from their sum; null if it accesses no memory. */
export interface Access {
  readonly base: number;
  readonly offset: number;
  readonly index?: number;
  /** Bytes that the address must be a multiple of. */
  readonly align: number;
}

/** Names the architecture's forms, and where their memory operands lie. */
export interface StepForms {
  readonly forms: readonly StepForm[];
  accessOf(word: number, form: StepForm): Access | null;
  /** Whether an instruction of this form is left out: it is reserved or has another name. */
  skips(word: number, form: StepForm): boolean;
}

/** Reads `name fixed operands` rows, the numbers in hexadecimal. */
export function parseForms(size: 2 | 4, rows: string): StepForm[] {
  return rows
    .trim()
    .split('\n')
    .map((row) => {
      const [name, fixed, operands] = row.trim().split(/\s+/) as [string, string, string];
      return { name, size, fixed: Number.parseInt(fixed, 16), operands: Number.parseInt(operands, 16) };
    });
}

const REGISTERS = 32;
const TRIES = 1000;

/** A case of `form` whose memory operand, if it has one, lies in the window at `window`. */
export function randomStep(all: StepForms, form: StepForm, random: Random, window: bigint): StepCase {
  const word = randomWord(all, form, random);
  const regs = Array.from({ length: REGISTERS }, (_, n) => (n === 0 ? 0n : random.u64()));
  // Branches that compare want equal registers now and then.
  for (let n = 1; n < REGISTERS; n++) if (random.chance(3)) regs[n] = regs[random.below(n)];
  const access = all.accessOf(word, form);
  if (access !== null) aim(regs, access, random, window);
  return {
    form: form.name,
    code: Uint8Array.from({ length: form.size }, (_, i) => (word >>> (8 * i)) & 0xff),
    regs,
    window: Uint8Array.from({ length: WINDOW_BYTES }, () => random.below(256)),
  };
}

function randomWord(all: StepForms, form: StepForm, random: Random): number {
  for (let i = 0; i < TRIES; i++) {
    const word = form.fixed | (random.word() & form.operands);
    const access = all.accessOf(word, form);
    // Register 0 is no address in the window.
    if (!all.skips(word, form) && (access === null || (access.base !== 0 && access.base !== access.index))) return word;
  }
  throw new Error(`${form.name}: no operands fit`);
}

function aim(regs: bigint[], { base, offset, index, align }: Access, random: Random, window: bigint): void {
  const middle = 64 + random.below(WINDOW_BYTES - 128);
  const place = window + BigInt(middle - (middle % align));
  const rest = index === undefined ? 0n : regs[index];
  regs[base] = BigInt.asUintN(64, place - BigInt(offset) - rest);
}
