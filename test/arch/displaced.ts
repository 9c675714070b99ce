import { PtRegs, x86_64, X86Slot, type InsnMemory } from '../../src/arch/index.js';
import { u64 } from '../../src/base/index.js';
import { BareCpu } from '../host/sim/bare-cpu.js';
import { Layout, type InsnCase } from '../host/sim/insn-case.js';

/** Registers in the order of their encodings, then rip, flags and the memory window. */
export interface MachineState {
  readonly regs: readonly string[];
  readonly rip: string;
  readonly flags: string;
  readonly window: string;
}

export type Outcome = MachineState | { readonly vector: number };

const SLOT = 0x1100_0000;
const SLOT_AT = BigInt(SLOT + 0x123);
const { ptRegs, probing } = x86_64;
const SLOTS = [
  'ax',
  'cx',
  'dx',
  'bx',
  'sp',
  'bp',
  'si',
  'di',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
].map((name) => ptRegs.names.indexOf(name));

/** Executes one instruction in kernel mode: in its place, or displaced as a probe on it would. */
export class DisplacedRunner {
  readonly #machine = new BareCpu(1 << 20);
  readonly #code: number;
  readonly #slot: number;
  readonly #data: number;
  #vector = -1;

  constructor() {
    const machine = this.#machine;
    this.#code = machine.allocate(1);
    this.#slot = machine.allocate(1);
    this.#data = machine.allocate(2);
    machine.map(BigInt(Layout.CODE), this.#code, 3n);
    machine.map(BigInt(SLOT), this.#slot, 3n);
    machine.map(BigInt(Layout.DATA), this.#data, 3n);
    machine.map(BigInt(Layout.DATA + 4096), this.#data + 4096, 3n);
    machine.cpu.onException = (_cpu, vector) => (this.#vector = vector);
  }

  /** The reference: the processor meets the instruction where it stands. */
  inPlace(each: InsnCase): Outcome {
    this.#machine.physical.write(this.#code + 0x800, each.code);
    return this.#execute(each, BigInt(Layout.CODE_AT));
  }

  /** What a probe does instead. `refused` is the reason. */
  displaced(each: InsnCase): Outcome | { readonly refused: string } {
    const address = BigInt(Layout.CODE_AT);
    const plan = probing.plan(each.code, address);
    if (plan.kind === 'refuse') return { refused: plan.reason };
    if (plan.kind === 'simulate') return this.#simulate(each, plan.simulate);
    this.#machine.physical.write(this.#slot + 0x123, plan.relocate(SLOT_AT) as Uint8Array);
    const outcome = this.#execute(each, SLOT_AT);
    if ('vector' in outcome) return outcome;
    // Behind the copy stands the breakpoint; its trap sends the pc to the next instruction.
    if (outcome.rip !== (SLOT_AT + BigInt(plan.length)).toString(16)) return outcome;
    return { ...outcome, rip: (address + BigInt(plan.length)).toString(16) };
  }

  #execute(each: InsnCase, at: bigint): Outcome {
    const { cpu } = this.#machine;
    this.#fillMemory(each);
    each.regs.forEach((value, n) => this.#machine.setRegister(n, value));
    this.#machine.flags = each.flags;
    this.#machine.rip = at;
    cpu.setCpl(0);
    cpu.shutdown = null;
    cpu.halted = false;
    this.#vector = -1;
    cpu.run(1);
    if (cpu.shutdown !== null || this.#vector >= 0) return { vector: this.#vector };
    return this.#state(
      Array.from({ length: 16 }, (_, n) => this.#machine.register(n)),
      this.#machine.rip,
      this.#machine.flags,
    );
  }

  #simulate(each: InsnCase, simulate: (regs: PtRegs, memory: InsnMemory) => boolean): Outcome {
    this.#fillMemory(each);
    const regs = new PtRegs(ptRegs);
    each.regs.forEach((value, n) => regs.put(SLOTS[n], value));
    regs.put(X86Slot.flags, each.flags);
    regs.ip = BigInt(Layout.CODE_AT) + 1n;
    if (!simulate(regs, this.#memory)) return { vector: 14 };
    return this.#state(
      SLOTS.map((slot) => regs.get(slot)),
      regs.ip,
      regs.get(X86Slot.flags),
    );
  }

  readonly #memory: InsnMemory = {
    read: (lo, hi, dst, length) => {
      const at = this.#physicalOf(u64(lo, hi), length);
      if (at >= 0) dst.set(this.#machine.physical.bytes.subarray(at, at + length));
      return at >= 0;
    },
    write: (lo, hi, src, length) => {
      const at = this.#physicalOf(u64(lo, hi), length);
      if (at >= 0) this.#machine.physical.write(at, src.subarray(0, length));
      return at >= 0;
    },
  };

  /** Physical address of virtual bytes, -1 where they are absent. */
  #physicalOf(address: bigint, length: number): number {
    for (const [start, physical, size] of [
      [Layout.DATA, this.#data, 8192],
      [Layout.CODE, this.#code, 4096],
    ] as const) {
      const offset = address - BigInt(start);
      if (offset >= 0n && offset + BigInt(length) <= BigInt(size)) return physical + Number(offset);
    }
    return -1;
  }

  #fillMemory(each: InsnCase): void {
    this.#machine.physical.write(this.#data, new Uint8Array(8192));
    this.#machine.physical.write(this.#data + Layout.WINDOW - Layout.DATA, each.window);
  }

  #state(regs: readonly bigint[], rip: bigint, flags: bigint): MachineState {
    const at = this.#data;
    return {
      regs: regs.map((value) => value.toString(16)),
      rip: rip.toString(16),
      flags: flags.toString(16),
      window: Buffer.from(this.#machine.physical.bytes.subarray(at, at + 8192)).toString('latin1'),
    };
  }
}
