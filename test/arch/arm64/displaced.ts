import { arm64, arm64PtRegs, Arm64Slot, PtRegs, type InsnMemory, type SimulateInsn } from '../../../src/arch/index.js';
import { u64 } from '../../../src/base/index.js';
import { Random } from '../../host/sim/random.js';
import { UNICORN_OK, type Unicorn, type UnicornCpu } from '../../oracle/unicorn.js';
import { randomWord, type InsnForm } from './insn-forms.js';

/** One instruction and the state it meets. */
export interface InsnCase {
  readonly form: InsnForm;
  readonly word: number;
  /** x0 to x30, then sp. */
  readonly regs: readonly bigint[];
  readonly nzcv: bigint;
}

/** Registers, pc, nzcv and what was stored, as text, or that the instruction faulted. */
export type Outcome = { readonly regs: string; readonly stored: string } | 'fault' | { readonly refused: string };

/** As much code as literals reach from its middle; the instruction stands there. */
const CODE = 0x1000_0000n;
const CODE_SIZE = 0x40_0000;
const ADDRESS = CODE + 0x20_0000n + 0x348n;
const SLOT = 0x2000_0040n;
const DATA = 0x3000_0000n;
const DATA_SIZE = 0xb000;
/** From here no offset of a load or store leaves the data. */
const MIDDLE = DATA + 0x1000n;
const { probing } = arm64;
/** UC_ERR_FETCH_UNMAPPED. */
const FETCH_UNMAPPED = 8;
const NAMES = [...arm64PtRegs.names.slice(0, Arm64Slot.pc)];

export function randomCase(form: InsnForm, random: Random): InsnCase {
  const word = randomWord(form, random);
  const regs = Array.from({ length: 31 }, () => (random.chance(6) ? 0n : random.u64()));
  // A stack pointer anywhere else would make no difference but faults.
  regs.push(MIDDLE + BigInt(16 * random.below(64)));
  const base = (word >>> 5) & 0x1f;
  const index = (word >>> 16) & 0x1f;
  if (form.index) regs[index] = BigInt(random.below(0x100));
  if (form.memory && !random.chance(16)) regs[base] = MIDDLE + BigInt(random.below(0x400));
  if (form.target) regs[base] = CODE + BigInt(4 * random.below(CODE_SIZE / 4));
  return { form, word, regs: regs.map((value) => BigInt.asUintN(64, value)), nzcv: BigInt(random.below(16)) << 28n };
}

export function describeCase({ form, word, regs, nzcv }: InsnCase, seed: number): string {
  const shown = regs.map((value, n) => `${NAMES[n]}=${value.toString(16)}`).join(' ');
  return `${form.name} [${(word >>> 0).toString(16)}] seed=${seed} nzcv=${nzcv.toString(16)} ${shown}`;
}

/** Executes single instructions: on a processor of libunicorn2 in their place, or displaced as a probe on them would. */
export class DisplacedRunner {
  readonly #cpu: UnicornCpu;
  readonly #code: Uint8Array;
  /** What the data are before each instruction. */
  readonly #pristine: Uint8Array;
  readonly #data = new Uint8Array(DATA_SIZE);

  constructor(unicorn: Unicorn) {
    this.#cpu = unicorn.cpu('arm64');
    this.#cpu.map(CODE, CODE_SIZE);
    this.#cpu.map(SLOT & ~0xfffn, 0x1000);
    this.#cpu.map(DATA, DATA_SIZE);
    this.#code = noise(CODE_SIZE, 1);
    this.#pristine = noise(DATA_SIZE, 2);
    this.#cpu.write(CODE, this.#code);
    this.#cpu.writeCode(SLOT + 4n, probing.slotBreakpoint(4));
  }

  inPlace(each: InsnCase): Outcome {
    return this.#execute(each, ADDRESS, bytesOf(each.word), ADDRESS);
  }

  /** What a probe does instead; `restoresStackPointer` as the host says. */
  displaced(each: InsnCase, restoresStackPointer: boolean): { readonly kind: string; readonly outcome: Outcome } {
    const bytes = bytesOf(each.word);
    const plan = probing.plan(bytes, ADDRESS, { before: new Uint8Array(), restoresStackPointer });
    if (plan.kind === 'refuse') return { kind: plan.kind, outcome: { refused: plan.reason } };
    if (plan.kind === 'simulate') return { kind: plan.kind, outcome: this.#simulate(each, bytes, plan.simulate) };
    return { kind: plan.kind, outcome: this.#execute(each, SLOT, plan.relocate(SLOT) as Uint8Array, ADDRESS) };
  }

  close(): void {
    this.#cpu.close();
  }

  /** Runs `bytes` at `at`, and counts the pc from `origin` if it is the one behind them. */
  #execute(each: InsnCase, at: bigint, bytes: Uint8Array, origin: bigint): Outcome {
    const cpu = this.#cpu;
    cpu.write(DATA, this.#pristine);
    cpu.writeCode(at, bytes);
    each.regs.forEach((value, n) => cpu.set(NAMES[n], value));
    cpu.set('nzcv', each.nzcv);
    cpu.set('pc', at);
    cpu.load();
    const status = cpu.run(at, 0n, 1);
    cpu.save();
    const pc = cpu.get('pc');
    // A branch to where no memory is has been executed all the same.
    if (status !== UNICORN_OK && (status !== FETCH_UNMAPPED || pc === at)) return 'fault';
    return this.#outcome(
      NAMES.map((name) => cpu.get(name)),
      pc === at + 4n ? origin + 4n : pc,
      cpu.get('nzcv'),
      cpu.read(DATA, DATA_SIZE),
    );
  }

  #simulate(each: InsnCase, bytes: Uint8Array, simulate: SimulateInsn): Outcome {
    this.#data.set(this.#pristine);
    // Literals may be anywhere around the instruction, and on it.
    this.#code.set(bytes, Number(ADDRESS - CODE));
    const regs = new PtRegs(arm64PtRegs);
    each.regs.forEach((value, n) => regs.put(n, value));
    regs.put(Arm64Slot.pstate, each.nzcv | 0x5n);
    regs.ip = SLOT;
    const before = regs.words.slice();
    if (!simulate(regs, this.#memory)) {
      const untouched = before.every((word, i) => word === regs.words[i]) && same(this.#data, this.#pristine);
      return untouched ? 'fault' : { refused: 'a fault left something behind' };
    }
    const pstate = regs.get(Arm64Slot.pstate);
    if ((pstate & 0xfff_ffffn) !== 5n) return { refused: 'other bits of pstate have changed' };
    return this.#outcome(
      NAMES.map((_, slot) => regs.get(slot)),
      regs.ip,
      pstate & 0xf000_0000n,
      this.#data,
    );
  }

  #outcome(regs: readonly bigint[], pc: bigint, nzcv: bigint, data: Uint8Array): Outcome {
    const shown = [...regs, pc, nzcv].map((value) => value.toString(16)).join(' ');
    return { regs: shown, stored: changesOf(this.#pristine, data) };
  }

  readonly #memory: InsnMemory = {
    read: (lo, hi, dst, length) => {
      const from = this.#place(lo, hi, length);
      if (from !== null) dst.set(from.bytes.subarray(from.at, from.at + length));
      return from !== null;
    },
    write: (lo, hi, src, length) => {
      const to = this.#place(lo, hi, length);
      if (to !== null) to.bytes.set(src.subarray(0, length), to.at);
      return to !== null;
    },
  };

  #place(lo: number, hi: number, length: number): { bytes: Uint8Array; at: number } | null {
    const address = u64(lo, hi);
    for (const [start, bytes] of [
      [CODE, this.#code],
      [DATA, this.#data],
    ] as const) {
      const at = address - start;
      if (at >= 0n && at + BigInt(length) <= BigInt(bytes.length)) return { bytes, at: Number(at) };
    }
    return null;
  }
}

function bytesOf(word: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, word, true);
  return bytes;
}

/** `offset:byte` of all that differ. */
function changesOf(before: Uint8Array, after: Uint8Array): string {
  if (same(before, after)) return '';
  const changes: string[] = [];
  after.forEach((byte, i) => {
    if (byte !== before[i]) changes.push(`${i.toString(16)}:${byte.toString(16)}`);
  });
  return changes.join(' ');
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function noise(size: number, seed: number): Uint8Array {
  const random = new Random(seed);
  const words = Int32Array.from({ length: size / 4 }, () => random.word());
  return new Uint8Array(words.buffer);
}
