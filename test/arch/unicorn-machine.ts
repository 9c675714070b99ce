import { i386, ptRegsView, x86_64, type InsnMemory, type ProbePlan } from '../../src/arch/index.js';
import { UNICORN_FETCH_UNMAPPED, UNICORN_OK, type Unicorn, type UnicornCpu } from '../oracle/unicorn.js';
import { Layout, type InsnCase } from '../host/sim/insn-case.js';

const SLOT = 0x1100_0000;
const SLOT_AT = BigInt(SLOT + 0x123);
const CODE_AT = BigInt(Layout.CODE_AT);
const DATA_SIZE = 8192;
const nothing = new Uint8Array(4096);
const LEGACY = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const EXTENDED = Array.from({ length: 8 }, (_, i) => `r${i + 8}`);

/** What an instruction left: general registers in the order of their encodings, pc, flags, memory. */
export interface UnicornState {
  readonly regs: readonly bigint[];
  readonly ip: bigint;
  readonly flags: bigint;
  readonly data: string;
}

/** A state, or that the instruction faulted. */
export type UnicornOutcome = UnicornState | 'fault';

/**
 * Executes instructions on libunicorn's processor, in their place or displaced as a probe on them would have it: by
 * the simulation on saved registers, and in the slot where the plan has one.
 */
export class UnicornMachine {
  readonly #arch: typeof x86_64;
  readonly #names: readonly string[];
  readonly #cpu: UnicornCpu;

  constructor(unicorn: Unicorn, bits: 32 | 64) {
    this.#arch = bits === 64 ? x86_64 : i386;
    this.#names = bits === 64 ? [...LEGACY, ...EXTENDED] : LEGACY;
    this.#cpu = unicorn.cpu(bits === 64 ? 'x86_64' : 'i386');
    this.#cpu.map(BigInt(Layout.CODE), 4096);
    this.#cpu.map(BigInt(SLOT), 4096);
    this.#cpu.map(BigInt(Layout.DATA), DATA_SIZE);
  }

  plan(each: InsnCase): ProbePlan {
    return this.#arch.probing.plan(each.code, CODE_AT);
  }

  /** The reference. */
  inPlace(each: InsnCase): UnicornOutcome {
    return this.#execute(each, each.code, CODE_AT);
  }

  inSlot(each: InsnCase, relocate: (slot: bigint) => Uint8Array | null): UnicornOutcome {
    const code = relocate(SLOT_AT);
    if (code === null) throw new Error('the slot is out of reach');
    const outcome = this.#execute(each, Uint8Array.from([...code, 0xcc]), SLOT_AT, code.length);
    if (outcome === 'fault') return outcome;
    // Behind the copy stands the breakpoint; its trap sends the pc to the next instruction.
    return { ...outcome, ip: outcome.ip - SLOT_AT + CODE_AT };
  }

  simulated(each: InsnCase, plan: Extract<ProbePlan, { kind: 'simulate' }>): UnicornOutcome {
    const regs = ptRegsView(this.#arch.ptRegs);
    this.#names.forEach((name, n) => regs.put(regs.slot(name), each.regs[n]));
    regs.put(regs.slot('flags'), each.flags);
    regs.ip = CODE_AT + 1n;
    const data = initialData(each);
    if (!plan.simulate(regs, memoryOf(data, each))) return 'fault';
    return {
      regs: this.#names.map((name) => regs.get(regs.slot(name))),
      ip: regs.ip,
      flags: regs.get(regs.slot('flags')),
      data: textOf(data),
    };
  }

  close(): void {
    this.#cpu.close();
  }

  #execute(each: InsnCase, code: Uint8Array, at: bigint, length = code.length): UnicornOutcome {
    const cpu = this.#cpu;
    // Bit strings reach far: what one has left there must not meet the next one.
    if (each.form.kind === 'bit-index') cpu.write(BigInt(Layout.CODE), nothing);
    cpu.writeCode(at, code);
    cpu.write(BigInt(Layout.DATA), initialData(each));
    this.#names.forEach((name, n) => cpu.set(name, each.regs[n]));
    cpu.set('flags', each.flags);
    cpu.set('ip', at);
    cpu.load();
    // Repeated instructions are one only up to the next address; branches may never come there.
    const isRepeated = each.form.kind === 'string';
    const status = cpu.run(at, at + BigInt(length), isRepeated ? 0 : 1);
    // A branch to where nothing is has been executed: the fault is that of its target.
    if (status !== UNICORN_OK && status !== UNICORN_FETCH_UNMAPPED) return 'fault';
    cpu.save();
    return {
      regs: this.#names.map((name) => cpu.get(name)),
      ip: cpu.get('ip'),
      flags: cpu.get('flags'),
      data: textOf(cpu.read(BigInt(Layout.DATA), DATA_SIZE)),
    };
  }
}

function initialData(each: InsnCase): Uint8Array {
  const data = new Uint8Array(DATA_SIZE);
  data.set(each.window, Layout.WINDOW - Layout.DATA);
  return data;
}

/** The data, and the instruction itself where it stands. */
function memoryOf(data: Uint8Array, each: InsnCase): InsnMemory {
  const regions = [
    { start: Layout.DATA, bytes: data },
    { start: Layout.CODE_AT, bytes: each.code },
  ];
  const find = (lo: number, hi: number, length: number): Uint8Array | null => {
    for (const { start, bytes } of regions) {
      const offset = (lo >>> 0) - start;
      if (hi === 0 && offset >= 0 && offset + length <= bytes.length) return bytes.subarray(offset, offset + length);
    }
    return null;
  };
  return {
    read(lo, hi, dst, length) {
      const found = find(lo, hi, length);
      if (found !== null) dst.set(found);
      return found !== null;
    },
    write(lo, hi, src, length) {
      const found = find(lo, hi, length);
      found?.set(src.subarray(0, length));
      return found !== null;
    },
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
