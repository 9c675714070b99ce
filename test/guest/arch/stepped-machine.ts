import { ptRegsView, type Arch, type InsnMemory, type PtRegs } from '../../../src/arch/index.js';
import { u64 } from '../../../src/base/index.js';
import type { RspRegister } from '../../../src/host/qemu/index.js';
import type { QemuProcess } from '../../../src/host/qemu/node/index.js';

/** One instruction and the state that it meets. */
export interface StepCase {
  readonly form: string;
  readonly code: Uint8Array;
  /** General registers by number; the first is 0. */
  readonly regs: readonly bigint[];
  /** What lies in the window. */
  readonly window: Uint8Array;
}

export interface StepState {
  readonly regs: readonly string[];
  readonly pc: string;
  readonly window: string;
}

/** `fault`: the instruction raised an exception. */
export type StepOutcome = StepState | 'fault';

/** Physical addresses of a machine that the test may use. */
export interface StepLayout {
  readonly code: bigint;
  readonly slot: bigint;
  readonly window: bigint;
  /** Where exceptions lead, and the register that says so; null: it stays 0, as after reset. */
  readonly vector: bigint;
  readonly vectorRegister: string | null;
}

export const WINDOW_BYTES = 256;
const THREAD = '01';

/** Executes single instructions on a machine under QEMU that has not begun to boot: in their place, or displaced by a probe. */
export class SteppedMachine {
  readonly #arch: Arch;
  readonly #machine: QemuProcess;
  readonly #layout: StepLayout;
  readonly #pc: RspRegister;

  constructor(arch: Arch, machine: QemuProcess, layout: StepLayout) {
    this.#arch = arch;
    this.#machine = machine;
    this.#layout = layout;
    const registers = machine.client.readRegisters();
    this.#pc = registers.get('pc') as RspRegister;
    const { vector, vectorRegister } = layout;
    if (vectorRegister === null) return;
    machine.client.writeRegisterOf(THREAD, registers.get(vectorRegister) as RspRegister, bytesOf([vector]));
  }

  /** The reference: the processor meets the instruction where it stands. */
  inPlace(each: StepCase): StepOutcome {
    return this.#execute(each, each.code, this.#layout.code);
  }

  /** What a probe does instead; `refused` is the reason. */
  displaced(each: StepCase): StepOutcome | { readonly refused: string } {
    const { code, slot } = this.#layout;
    const { probing } = this.#arch;
    const plan = probing.plan(each.code, code);
    if (plan.kind === 'refuse') return { refused: plan.reason };
    if (plan.kind === 'simulate') return this.#simulate(each, plan.simulate);
    const moved = plan.relocate(slot) as Uint8Array;
    const outcome = this.#execute(each, Uint8Array.of(...moved, ...probing.slotBreakpoint(moved.length)), slot);
    // Behind the copy stands the breakpoint; its trap sends the pc to the next instruction.
    if (outcome === 'fault' || outcome.pc !== hex(slot + BigInt(moved.length))) return outcome;
    return { ...outcome, pc: hex(code + BigInt(plan.length)) };
  }

  #execute(each: StepCase, code: Uint8Array, at: bigint): StepOutcome {
    const { client } = this.#machine;
    const { window, vector } = this.#layout;
    // General registers alone: QEMU 7.2 takes the pc of loongarch64 from another place than it puts it.
    client.writeRegistersOf(THREAD, bytesOf(each.regs));
    client.writeRegisterOf(THREAD, this.#pc, bytesOf([at]));
    if (!client.writeMemory(at, code) || !client.writeMemory(window, each.window)) throw new Error('no memory there');
    client.step(THREAD);
    const after = client.registersOf(THREAD);
    const found = new DataView(after.buffer, after.byteOffset);
    const pc = found.getBigUint64(this.#pc.offset, true);
    if (pc === vector) return 'fault';
    const regs = each.regs.map((_, n) => hex(found.getBigUint64(8 * n, true)));
    return { regs, pc: hex(pc), window: toHex(client.readMemory(window, WINDOW_BYTES) as Uint8Array) };
  }

  #simulate(each: StepCase, simulate: (regs: PtRegs, memory: InsnMemory) => boolean): StepOutcome {
    const regs = ptRegsView(this.#arch.ptRegs);
    each.regs.forEach((value, n) => regs.put(n, value));
    regs.ip = this.#layout.code;
    const window = each.window.slice();
    if (!simulate(regs, windowMemory(window, this.#layout.window))) return 'fault';
    // Register 0 has no slot on riscv64, where the pc lies in its place.
    return { regs: each.regs.map((_, n) => hex(n === 0 ? 0n : regs.get(n))), pc: hex(regs.ip), window: toHex(window) };
  }
}

function windowMemory(window: Uint8Array, start: bigint): InsnMemory {
  const at = (lo: number, hi: number, length: number): number => {
    const offset = u64(lo, hi) - start;
    return offset >= 0n && offset + BigInt(length) <= BigInt(window.length) ? Number(offset) : -1;
  };
  return {
    read: (lo, hi, dst, length) => {
      const from = at(lo, hi, length);
      if (from >= 0) dst.set(window.subarray(from, from + length));
      return from >= 0;
    },
    write: (lo, hi, src, length) => {
      const to = at(lo, hi, length);
      if (to >= 0) window.set(src.subarray(0, length), to);
      return to >= 0;
    },
  };
}

/** 64-bit values one behind the other. */
function bytesOf(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

function hex(value: bigint): string {
  return value.toString(16);
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
