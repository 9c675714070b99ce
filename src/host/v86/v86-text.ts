import { BpfError } from '../../base/index.js';
import { i386, type PtRegs, ptRegsView } from '../../arch/index.js';
import { type GuestMemory, NO_PAGE, PatchSites } from '../guest/index.js';
import type { HostText, TrapFrame, TrapHandler } from '../host.js';
import type { SymbolTable } from '../symbol-table.js';
import { ExecArea } from './exec-area.js';
import { ExitWatch } from './exit-watch.js';
import { movablePrologue } from './prologue.js';
import {
  ANSWER_FOREIGN,
  ANSWER_HANDLED,
  jump,
  JUMP_LENGTH,
  STUB_ANSWER,
  STUB_ARGUMENT,
  TRAP_PORT,
  trapStub,
} from './trap-stub.js';
import type { V86Machine } from './v86-machine.js';
import type { TrappedText } from './v86-stacks.js';

const PAGE = 4096;
const BREAKPOINT = 0xcc;
const USER_MODE = 3;
/** Enough of exc_int3 to find the instructions that a jump replaces. */
const PROLOGUE_MAX = 32;
/** Where int3 arrives: `void exc_int3(struct pt_regs *)`. */
const HANDLER = 'exc_int3';

/** Sections that Linux lets nobody probe, by the symbols around them: on the way of every trap, or before it is safe to take one. */
const NO_PROBE: readonly (readonly [from: string, to: string, why: string])[] = [
  ['__entry_text_start', '__entry_text_end', 'entry code, on the way of every trap'],
  ['__noinstr_text_start', '__noinstr_text_end', 'noinstr: may run while the kernel cannot take traps'],
  ['__kprobes_text_start', '__kprobes_text_end', '__kprobes: part of how the kernel takes traps'],
];

/** Begins as one task and returns as another: where it returns to would be noted with the wrong one. */
const CHANGES_CURRENT = '__switch_to';

/** The frame handed to the trap handler; one for all traps. */
class V86TrapFrame implements TrapFrame {
  readonly cpu = 0;
  readonly kind = 'breakpoint';
  user = false;
  readonly regs: PtRegs = ptRegsView(i386.ptRegs);
}

/**
 * Kernel text of a guest. Breakpoints are bytes in it; the guest takes the trap and enters its `exc_int3`, which jumps to
 * the stub in the executable area while a handler is set. The handler sees and changes the kernel's own `struct pt_regs`.
 * Between calls a trap may be under way; it finds the text as it is when it is delivered.
 */
export class V86Text implements HostText, TrappedText {
  readonly returnTrampoline: bigint;
  readonly restoresStackPointer = true;
  readonly #machine: V86Machine;
  readonly #memory: GuestMemory;
  readonly #symbols: SymbolTable;
  readonly #area: ExecArea;
  readonly #handlerAt: number;
  /** The instructions of exc_int3 that the jump replaces. */
  readonly #prologue: Uint8Array;
  readonly #textStart: number;
  readonly #textEnd: number;
  readonly #frame = new V86TrapFrame();
  readonly #ip = i386.ptRegs.ip;
  readonly #cs = i386.ptRegs.names.indexOf('cs');
  /** Original bytes by address, where the text is not as the kernel has it. */
  readonly #patched = new Map<number, number>();
  readonly #exits: ExitWatch;
  readonly #patchSites: PatchSites;
  #handler: TrapHandler | null = null;
  /** Whether exc_int3 leads to the stub. */
  #led = false;
  #aside = false;
  #event = false;

  constructor(machine: V86Machine, memory: GuestMemory, symbols: SymbolTable, pageOffset: number) {
    this.#machine = machine;
    this.#memory = memory;
    this.#symbols = symbols;
    this.#handlerAt = this.#address(HANDLER);
    this.#textStart = this.#address('_stext');
    this.#textEnd = this.#address('_etext');
    this.#area = new ExecArea(machine.ram, pageOffset);
    this.returnTrampoline = BigInt(this.#area.trampoline);
    this.#write(this.#area.trampoline, Uint8Array.of(BREAKPOINT));
    this.#prologue = this.#findPrologue();
    this.#write(this.#area.stub, trapStub(this.#area.stub, this.#handlerAt, this.#prologue));
    this.#patchSites = new PatchSites(memory, symbols, i386.pointerSize);
    this.#exits = new ExitWatch(memory, symbols, (at, bytes) => this.#write(at, bytes));
    machine.onPortWrite(TRAP_PORT, () => this.#trap());
  }

  /** Registers of the trap being handled, or null. */
  get event(): PtRegs | null {
    return this.#event ? this.#frame.regs : null;
  }

  /** Whether any text is not as the kernel has it, but for the way to the stub. */
  get pristine(): boolean {
    return this.#patched.size === 0;
  }

  displaced(address: number): number | undefined {
    return this.#patched.get(address);
  }

  patch(address: bigint, expected: Uint8Array, bytes: Uint8Array): boolean {
    const at = Number(address);
    if (expected.length !== bytes.length || !this.#isWritable(at, bytes.length)) return false;
    const found = new Uint8Array(expected.length);
    if (!this.#memory.readKernel(at | 0, 0, found, 0, found.length)) return false;
    if (found.some((byte, i) => byte !== expected[i]) || !this.#write(at, bytes)) return false;
    if (!this.#area.holds(at)) this.#note(at, expected, bytes);
    return true;
  }

  allocExec(size: number): bigint | null {
    const address = this.#area.allocate(size);
    return address === null ? null : BigInt(address);
  }

  freeExec(address: bigint, size: number): void {
    this.#area.free(Number(address), size);
  }

  blacklisted(address: bigint): string | null {
    const at = Number(address);
    if (this.#area.holds(at)) return 'room for displaced instructions';
    if (at === this.#exits.address) return 'where the host notes that tasks have ended';
    if (at < this.#textStart || at >= this.#textEnd) return 'not kernel text';
    for (const [from, to, why] of NO_PROBE) {
      const start = this.#symbols.lookup(from)?.address ?? 0n;
      const end = this.#symbols.lookup(to)?.address ?? 0n;
      if (address >= start && address < end) return why;
    }
    return this.#patchSites.sites.get(address) ?? null;
  }

  returnBlacklisted(address: bigint): string | null {
    const changes = this.#symbols.at(address)?.name === CHANGES_CURRENT;
    return changes ? 'it makes another task current before it returns' : null;
  }

  setTrapHandler(handler: TrapHandler | null): void {
    this.#handler = handler;
    this.#lead();
  }

  /** As HostTasks.onExit. */
  onExit(handler: (taskLo: number, taskHi: number) => void): () => void {
    return this.#exits.listen(handler, () => this.#lead());
  }

  /** What `work` answers while the text is the guest's own. Probes must be gone. */
  async asItWas<T>(work: () => Promise<T>): Promise<T> {
    this.#aside = true;
    this.#lead();
    try {
      return await work();
    } finally {
      this.#aside = false;
      this.#lead();
    }
  }

  /** EOPNOTSUPP: v86 has no trap flag. */
  singleStep(): never {
    throw new BpfError('EOPNOTSUPP', 'stepping one instruction', { remedy: 'v86 has no trap flag' });
  }

  /** Has traps go to the stub while somebody wants them. */
  #lead(): void {
    const watching = this.#exits.watching && !this.#aside;
    const wanted = (this.#handler !== null && !this.#aside) || watching;
    if (wanted !== this.#led) {
      if (wanted) this.#leaveHandler();
      const original = this.#prologue.subarray(0, JUMP_LENGTH);
      this.#write(this.#handlerAt, wanted ? jump(this.#handlerAt, this.#area.stub) : original);
      this.#led = wanted;
    }
    this.#exits.arm(watching);
  }

  /** The trap that the stub posted: its registers lie where eax points to, on a kernel stack. */
  #trap(): void {
    const { ram } = this.#machine;
    const at = this.#memory.physical(ram.registers[STUB_ARGUMENT], 0);
    const handled = at !== NO_PAGE && this.#deliver(at >> 2);
    ram.registers[STUB_ANSWER] = handled ? ANSWER_HANDLED : ANSWER_FOREIGN;
  }

  #deliver(base: number): boolean {
    const frame = this.#frame;
    const { regs } = frame;
    regs.words = this.#machine.ram.words;
    regs.base = base;
    frame.user = (regs.lo(this.#cs) & USER_MODE) === USER_MODE;
    if (this.#machine.failed) return this.#postpone(regs);
    this.#event = true;
    try {
      if (!frame.user && this.#exits.take(regs)) return true;
      return this.#handler?.(frame) === true;
    } catch (error) {
      this.#machine.fail(error);
      return this.#postpone(regs);
    } finally {
      this.#event = false;
    }
  }

  /** A handler that threw must not cost the guest its life: it meets the breakpoint again when it is run on. */
  #postpone(regs: PtRegs): boolean {
    regs.set(this.#ip, (regs.lo(this.#ip) - i386.probing.trapPcBias) | 0, 0);
    return true;
  }

  /** Lets the guest go on while it is at instructions that are about to be replaced. */
  #leaveHandler(): void {
    const at = (): number => this.#machine.cpu.instruction_pointer[0] >>> 0;
    while (at() > this.#handlerAt && at() < this.#handlerAt + this.#prologue.length) this.#machine.tick();
  }

  #address(name: string): number {
    const symbol = this.#symbols.lookup(name);
    if (symbol !== undefined) return Number(symbol.address);
    throw new BpfError('ENOENT', `looking for the guest's ${name}`, {
      value: name,
      remedy: 'its symbols are incomplete: the kernel must be an x86 Linux of 5.8 or newer',
    });
  }

  #findPrologue(): Uint8Array {
    const bytes = new Uint8Array(PROLOGUE_MAX);
    this.#memory.readKernel(this.#handlerAt | 0, 0, bytes, 0, bytes.length);
    return movablePrologue(bytes, JUMP_LENGTH, HANDLER);
  }

  #isWritable(at: number, length: number): boolean {
    if (at >= this.#textStart && at + length <= this.#textEnd) return true;
    return this.#area.holds(at) && this.#area.holds(at + length - 1);
  }

  /** Whatever the page allows: the kernel maps its text read-only. */
  #write(at: number, bytes: Uint8Array): boolean {
    for (let done = 0; done < bytes.length;) {
      const size = Math.min(bytes.length - done, PAGE - ((at + done) % PAGE));
      const physical = this.#memory.physical((at + done) | 0, 0);
      if (physical === NO_PAGE || !this.#machine.ram.write(physical, bytes, done, size)) return false;
      done += size;
    }
    return true;
  }

  #note(at: number, expected: Uint8Array, bytes: Uint8Array): void {
    for (const [i, byte] of bytes.entries()) {
      const original = this.#patched.get(at + i) ?? expected[i];
      if (byte === original) this.#patched.delete(at + i);
      else this.#patched.set(at + i, original);
    }
  }
}
