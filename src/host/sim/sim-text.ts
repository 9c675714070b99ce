import { PtRegs, X86Flag, x86PtRegs, X86Slot } from '../../arch/index.js';
import { hi32, lo32 } from '../../base/index.js';
import type { HostText, TrapFrame, TrapHandler } from '../host.js';
import type { SymbolTable } from '../symbol-table.js';
import type { KernelLayout } from './kernel-layout.js';
import type { ExecRange } from './machine/boot-loader.js';
import type { SimMachine } from './machine/sim-machine.js';
import type { EncodedSimImage } from './sim-image.js';
import type { SimMemory } from './sim-memory.js';
import { SlotPool } from './slot-pool.js';

type TrapKind = TrapFrame['kind'];

/** The frame handed to the trap handler; one for all traps. */
class SimTrapFrame implements TrapFrame {
  cpu = 0;
  kind: TrapKind = 'breakpoint';
  user = false;
  readonly regs = new PtRegs(x86PtRegs);
}

/** A single step in progress on one CPU: what IF was before it. */
interface Step {
  interrupts: number;
}

/** Functions that each CPU runs before it has an interrupt table: a breakpoint there would end the machine. */
const BEFORE_TRAPS = ['startup_64', 'x86_64_start_kernel', 'cpu_init', 'gdt_setup', 'idt_setup', 'set_intr_gate'];

/** Begins as one task and returns as another: where it returns to would be noted with the wrong one. */
const CHANGES_CURRENT = '__switch_to';

const KINDS: readonly TrapKind[] = ['breakpoint', 'step', 'fault'];

/** Kernel text: bytes are changed in simulated memory, traps arrive through the kernel's own handlers. */
export class SimText implements HostText {
  readonly returnTrampoline: bigint;
  readonly #machine: SimMachine;
  readonly #memory: SimMemory;
  readonly #image: EncodedSimImage;
  readonly #symbols: SymbolTable;
  readonly #early: ReadonlySet<string> = new Set(BEFORE_TRAPS);
  readonly #slots: SlotPool;
  readonly #slotRange: ExecRange;
  readonly #frame = new SimTrapFrame();
  readonly #steps: (Step | null)[];
  #handler: TrapHandler | null = null;

  constructor(machine: SimMachine, memory: SimMemory, layout: KernelLayout, image: EncodedSimImage, slots: ExecRange) {
    this.#machine = machine;
    this.#memory = memory;
    this.#image = image;
    this.#symbols = layout.symbols;
    this.returnTrampoline = layout.address('arch_rethook_trampoline');
    this.#slots = new SlotPool(slots.from, Number(slots.to - slots.from));
    this.#slotRange = slots;
    this.#steps = machine.cpus.map(() => null);
    machine.observers.trap = (kind, lo, hi, cpu) => this.#trap(kind, lo, hi, cpu);
  }

  patch(address: bigint, expected: Uint8Array, bytes: Uint8Array): boolean {
    if (expected.length !== bytes.length) return false;
    if (!this.#isText(address, bytes.length) && !this.#isSlot(address)) return false;
    const found = new Uint8Array(expected.length);
    if (!this.#memory.readKernel(lo32(address), hi32(address), found, 0, found.length)) return false;
    if (found.some((byte, i) => byte !== expected[i])) return false;
    return this.#memory.writeKernel(lo32(address), hi32(address), bytes, 0, bytes.length);
  }

  allocExec(size: number): bigint | null {
    return this.#slots.allocate(size);
  }

  freeExec(address: bigint, size: number): void {
    this.#slots.free(address, size);
  }

  blacklisted(address: bigint): string | null {
    if (this.#isSlot(address)) return 'room for displaced instructions';
    if (!this.#isText(address, 1)) return 'not kernel text';
    const range = this.#image.noProbe.find(({ from, to }) => address >= from && address < to);
    if (range !== undefined) return range.why;
    if (this.#early.has(this.#symbols.at(address)?.name ?? '')) return 'runs before traps can be taken';
    const trampoline = this.returnTrampoline;
    return address >= trampoline && address < trampoline + 6n ? 'the return trampoline' : null;
  }

  returnBlacklisted(address: bigint): string | null {
    const changes = this.#symbols.at(address)?.name === CHANGES_CURRENT;
    return changes ? 'it makes another task current before it returns' : null;
  }

  setTrapHandler(handler: TrapHandler | null): void {
    this.#handler = handler;
  }

  singleStep(frame: TrapFrame): void {
    const { regs } = frame;
    const flags = regs.lo(X86Slot.flags);
    this.#steps[frame.cpu] = { interrupts: flags & X86Flag.IF };
    regs.set(X86Slot.flags, (flags | X86Flag.TF) & ~X86Flag.IF, 0);
  }

  #isText(address: bigint, length: number): boolean {
    return address >= this.#image.base && address + BigInt(length) <= this.#image.textEnd;
  }

  #isSlot(address: bigint): boolean {
    return address >= this.#slotRange.from && address < this.#slotRange.to;
  }

  /** HC_TRAP. `lo:hi` is the kernel's struct pt_regs, which the handler sees and changes in place. */
  #trap(kind: number, lo: number, hi: number, cpu: number): boolean {
    const at = this.#memory.physical(lo, hi);
    const name = KINDS[kind];
    if (at < 0 || name === undefined) return false;
    const frame = this.#frame;
    frame.regs.words = this.#machine.physical.words;
    frame.regs.base = at >> 2;
    frame.cpu = cpu;
    frame.kind = name;
    frame.user = (frame.regs.lo(X86Slot.cs) & 3) === 3;
    if (name === 'step' && !this.#endStep(frame)) return false;
    return this.#handler !== null && this.#handler(frame);
  }

  /** Takes the step's flags back. False if nobody asked for a step. */
  #endStep(frame: TrapFrame): boolean {
    const step = this.#steps[frame.cpu] ?? null;
    if (step === null) return false;
    this.#steps[frame.cpu] = null;
    const flags = frame.regs.lo(X86Slot.flags);
    frame.regs.set(X86Slot.flags, (flags & ~X86Flag.TF) | step.interrupts, 0);
    return true;
  }
}
