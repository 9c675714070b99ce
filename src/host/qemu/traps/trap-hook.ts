import type { Arch } from '../../../arch/index.js';
import { BpfError, hex64, hi32, lo32 } from '../../../base/index.js';
import type { SymbolTable } from '../../index.js';
import type { ExecRoom } from '../exec-room.js';
import type { MachineControl } from '../machine-control.js';
import type { QemuMemory } from '../qemu-memory.js';
import type { QemuText } from '../qemu-text.js';
import type { TrapArch, TrapFacts } from './trap-arch.js';
import { linkTrapStub, TrapStub } from './trap-stub.js';

/** How often a CPU may be found where it must not be before that is given up, and what it is let run for in between. */
const TRIES = 2000;

export interface TrapHookOptions {
  readonly arch: Arch;
  readonly traps: TrapArch;
  readonly facts: TrapFacts;
  readonly control: MachineControl;
  readonly memory: QemuMemory;
  readonly text: QemuText;
  readonly room: ExecRoom;
  /** Hexadecimal code of the stub. */
  readonly code: string;
  /** Virtual address of the slots. */
  readonly mailbox: bigint;
  /** Lets the machine run for a moment, and handles traps meanwhile. */
  readonly runOn: () => void;
  /** How many traps of a CPU have been handled. */
  readonly served: (cpu: number) => number;
}

interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/** The stub in the guest, and the jump to it at the entry of the guest's own handler of breakpoint traps. */
export class TrapHook {
  readonly #o: TrapHookOptions;
  readonly #site: bigint;
  readonly #original: Uint8Array;
  readonly #path: readonly Range[];

  /** Puts both in place. The machine must stand still. */
  constructor(options: TrapHookOptions) {
    const { traps, room, control, text } = options;
    this.#o = options;
    this.#site = siteOf(traps, options.facts.symbols);
    const jump = traps.handler.jump(this.#site, room.address);
    if (jump === null) throw unhookable(traps, `the room at ${hex64(room.address)} is out of its reach`);
    const prologue = this.#prologue(jump.length);
    this.#original = prologue.slice(0, jump.length);
    this.#path = [
      { from: room.address, to: room.address + BigInt(TrapStub.size) },
      ...pathOf(traps, options.facts.symbols),
    ];
    const parameter = traps.stubParameter(options.facts);
    if (parameter === null)
      throw unhookable(traps, 'the types and symbols of the kernel do not tell where a CPU finds its number');
    const resume = this.#site + BigInt(prologue.length);
    const stub = linkTrapStub({ code: options.code, prologue, mailbox: options.mailbox, resume, parameter });
    const written = text.write(room.address, stub);
    const site = { from: this.#site + 1n, to: resume };
    const patched = written && this.#whenOutside([site], () => text.write(this.#site, jump));
    if (!patched || control.ended !== null) throw unhookable(traps, 'its text cannot be written');
  }

  /**
   * Returns when each CPU was seen off the way of a trap since the call, or has had one handled: it can be on one way only,
   * and where other probes are hot it is always on some. Outside of handlers only.
   */
  drain(): void {
    const { control, runOn, traps, served } = this.#o;
    const before = control.threads.map((_, cpu) => served(cpu));
    const due = new Set(control.threads.keys());
    for (let tries = 0; tries < TRIES && control.ended === null; tries++) {
      control.halt();
      for (const cpu of due) {
        if (served(cpu) !== before[cpu] || !this.#isInside(control.threads[cpu], this.#path)) due.delete(cpu);
      }
      if (due.size === 0) return;
      runOn();
    }
    if (control.ended === null) throw unhookable(traps, 'a CPU does not leave the way of a trap');
  }

  /** Gives the guest its handler back. The machine stands still. */
  remove(): void {
    this.#whenOutside(this.#path, () => this.#o.text.write(this.#site, this.#original));
  }

  /** The first instructions of the guest's handler that make room for `length` bytes. */
  #prologue(length: number): Uint8Array {
    const { traps, memory, arch } = this.#o;
    const bytes = new Uint8Array(TrapStub.prologueSize + arch.probing.maxInsnLength);
    if (!memory.readKernel(lo32(this.#site), hi32(this.#site), bytes, 0, bytes.length)) {
      throw unhookable(traps, 'its text cannot be read');
    }
    let size = 0;
    while (size < length) {
      const insn = bytes.subarray(size);
      const step = arch.probing.insnLength(insn, 0);
      if (step === 0 || !traps.handler.isMovable(insn)) {
        throw unhookable(
          traps,
          `its instruction at +${size} (${hexBytes(insn.subarray(0, Math.max(step, 4)))}) cannot be moved`,
        );
      }
      size += step;
    }
    return bytes.slice(0, size);
  }

  /** Runs `action` with the machine stopped at a moment when no CPU is in one of `ranges`. */
  #whenOutside(ranges: readonly Range[], action: () => boolean): boolean {
    const { control, runOn, traps } = this.#o;
    for (let tries = 0; tries < TRIES && control.ended === null; tries++) {
      control.halt();
      if (!control.threads.some((thread) => this.#isInside(thread, ranges))) return action();
      runOn();
    }
    if (control.ended !== null) return false;
    throw unhookable(traps, 'a CPU does not leave the way of a trap');
  }

  #isInside(thread: string, ranges: readonly Range[]): boolean {
    const { control, traps } = this.#o;
    control.cpu.load(thread);
    if (traps.takesInterrupts(control.cpu)) return false;
    const pc = control.cpu.get(traps.pc);
    return ranges.some(({ from, to }) => pc >= from && pc < to);
  }
}

function siteOf(traps: TrapArch, symbols: SymbolTable): bigint {
  const symbol = symbols.lookup(traps.handler.symbol);
  if (symbol !== undefined) return symbol.address;
  throw unhookable(traps, 'the kernel has no such symbol');
}

function pathOf(traps: TrapArch, symbols: SymbolTable): Range[] {
  return [...traps.handler.path].flatMap((name) => {
    const symbol = symbols.lookup(name);
    return symbol === undefined ? [] : [{ from: symbol.address, to: symbol.address + symbol.size }];
  });
}

function unhookable(traps: TrapArch, remedy: string): BpfError {
  return new BpfError('EOPNOTSUPP', `taking over ${traps.handler.symbol} of the guest`, { remedy });
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
