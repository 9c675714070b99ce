import { BpfError } from '../../../base/index.js';
import type { SymbolTable } from '../../index.js';
import type { MachineControl } from '../machine-control.js';
import type { TrapArch } from './trap-arch.js';

/** How long a CPU may be found where it must not be. On a busy computer a guest does little in that time. */
const PATIENCE_MS = 20_000;
/** What the machine is let run for between two looks: short at first, in the end long enough for one thread to serve all CPUs. */
const FIRST_MS = 0.2;
const LONGEST_MS = 150;

export interface CodeRange {
  readonly from: bigint;
  readonly to: bigint;
}

export interface TrapPathOptions {
  readonly control: MachineControl;
  readonly traps: TrapArch;
  /** Lets the machine, or one thread of it, run for some milliseconds, and handles traps meanwhile. */
  readonly runOn: (ms: number, thread?: string) => void;
  /** How many traps of a CPU have been handled. */
  readonly served: (cpu: number) => number;
}

/** The way that a breakpoint trap takes through the guest's code: who is on it, and when nobody is any more. */
export class TrapPath {
  readonly #o: TrapPathOptions;
  readonly #ranges: readonly CodeRange[];
  readonly #symbols: SymbolTable;
  /** Where a CPU was found last that must not be there. */
  #found = '';
  #alone = false;

  /** `own`: code on the way that the guest's symbols do not name. */
  constructor(options: TrapPathOptions, symbols: SymbolTable, own: readonly CodeRange[] = []) {
    this.#o = options;
    this.#symbols = symbols;
    this.#ranges = [...own, ...options.traps.handler.path.flatMap((name) => rangeOf(symbols, name))];
  }

  /**
   * Returns when each CPU was seen off the way since the call, or has had a trap handled: it can be on the way of one only,
   * and where other probes are hot it is always on some. Outside of handlers only.
   */
  drain(): void {
    const { control, served } = this.#o;
    const before = control.threads.map((_, cpu) => served(cpu));
    const due = new Set(control.threads.keys());
    const end = performance.now() + PATIENCE_MS;
    for (let ms = FIRST_MS; control.ended === null && performance.now() < end; ms = longer(ms)) {
      control.halt();
      for (const cpu of due) {
        if (served(cpu) !== before[cpu] || !this.#isInside(control.threads[cpu], this.#ranges)) due.delete(cpu);
      }
      if (due.size === 0) return;
      this.#runOn(ms, control.threads[Math.min(...due)]);
    }
    if (control.ended === null) throw this.#stuck();
  }

  /** Runs `action` with the machine stopped at a moment when no CPU is on the way; false: it ended. */
  whenClear(action: () => boolean): boolean {
    return this.whenOutside(this.#ranges, action);
  }

  /** The same for other code. */
  whenOutside(ranges: readonly CodeRange[], action: () => boolean): boolean {
    const { control } = this.#o;
    const end = performance.now() + PATIENCE_MS;
    for (let ms = FIRST_MS; control.ended === null && performance.now() < end; ms = longer(ms)) {
      control.halt();
      const inside = control.threads.find((thread) => this.#isInside(thread, ranges));
      if (inside === undefined) return action();
      this.#runOn(ms, inside);
    }
    if (control.ended !== null) return false;
    throw this.#stuck();
  }

  /**
   * Every other time only the thread that must come out of the way: where one host thread runs all CPUs in turn, one that
   * is not at its turn may stand before the interrupt that came meanwhile whenever anybody looks.
   */
  #runOn(ms: number, thread: string): void {
    if (this.#alone) this.#o.runOn(ms, thread);
    else this.#o.runOn(ms);
    this.#alone = !this.#alone;
  }

  #isInside(thread: string, ranges: readonly CodeRange[]): boolean {
    const { control, traps } = this.#o;
    control.cpu.load(thread);
    if (traps.takesInterrupts(control.cpu)) return false;
    const pc = control.cpu.get(traps.pc);
    const isInside = ranges.some(({ from, to }) => pc >= from && pc < to);
    if (isInside) this.#found = `CPU ${control.threads.indexOf(thread)} at ${this.#symbols.format(pc)}`;
    return isInside;
  }

  #stuck(): BpfError {
    return new BpfError('EBUSY', `waiting for traps on their way to ${this.#o.traps.handler.symbol} of the guest`, {
      value: this.#found,
      remedy: 'a CPU does not leave the way of a trap',
    });
  }
}

function longer(ms: number): number {
  return Math.min(LONGEST_MS, 1.5 * ms);
}

function rangeOf(symbols: SymbolTable, name: string): CodeRange[] {
  const symbol = symbols.lookup(name);
  return symbol === undefined ? [] : [{ from: symbol.address, to: symbol.address + symbol.size }];
}
