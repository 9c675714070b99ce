import { i386, type PtRegs } from '../../arch/index.js';
import { hi32, lo32 } from '../../base/index.js';
import type { GuestMemory } from '../guest/index.js';
import type { SymbolTable } from '../symbol-table.js';

/** Called for each task that has ended, with its struct task_struct in the first argument (kernel/exit.c). */
const FUNCTION = 'release_task';
const BREAKPOINT = 0xcc;
const PUSH_EBP = 0x55;
/** The nop of ftrace that may come first. */
const NOP_LENGTH = 5;
const NOP_FIRST = 0x3e;

/** Puts bytes at an address of the kernel's text. */
export type WriteText = (at: number, bytes: Uint8Array) => boolean;

type ExitHandler = (taskLo: number, taskHi: number) => void;

/**
 * Tells of tasks that are gone, by a breakpoint of the host's own at the first `push %ebp` of `release_task`, one byte long,
 * so that the function's other instructions stay where they are. It stands there while somebody listens.
 */
export class ExitWatch {
  /** Where the breakpoint stands while somebody listens; 0 in a kernel in which there is no such place. */
  readonly address: number;
  readonly #write: WriteText;
  readonly #memory: GuestMemory;
  readonly #handlers = new Set<ExitHandler>();
  readonly #task = i386.ptRegs.args[0];

  constructor(memory: GuestMemory, symbols: SymbolTable, write: WriteText) {
    this.#memory = memory;
    this.#write = write;
    this.address = findPlace(memory, symbols);
  }

  get watching(): boolean {
    return this.#handlers.size > 0;
  }

  /** Adds a listener; `changed` is called when the breakpoint has to come or go. Returns what ends this. */
  listen(handler: ExitHandler, changed: () => void): () => void {
    // A wrapper, so that one function given twice is told twice.
    const entry: ExitHandler = (lo, hi) => handler(lo, hi);
    this.#handlers.add(entry);
    changed();
    return () => {
      if (this.#handlers.delete(entry)) changed();
    };
  }

  /** Puts the breakpoint in or takes it out. */
  arm(armed: boolean): void {
    if (this.address !== 0) this.#write(this.address, Uint8Array.of(armed ? BREAKPOINT : PUSH_EBP));
  }

  /** Takes the trap if it is the watch's own: tells of the task and executes the push. */
  take(regs: PtRegs): boolean {
    if (this.address === 0 || (regs.lo(regs.layout.ip) - i386.probing.trapPcBias) >>> 0 !== this.address) return false;
    if (!this.#push(regs)) return false;
    for (const handler of this.#handlers) handler(regs.lo(this.#task), 0);
    return true;
  }

  #push(regs: PtRegs): boolean {
    const { fp, sp } = regs.layout;
    const [frame, top] = [regs.lo(fp), (regs.lo(sp) - 4) | 0];
    const bytes = Uint8Array.of(frame, frame >>> 8, frame >>> 16, frame >>> 24);
    if (!this.#memory.writeKernel(top, 0, bytes, 0, bytes.length)) return false;
    regs.set(sp, top, 0);
    return true;
  }
}

function findPlace(memory: GuestMemory, symbols: SymbolTable): number {
  const start = symbols.lookup(FUNCTION)?.address;
  const bytes = new Uint8Array(NOP_LENGTH + 1);
  if (start === undefined || !memory.readKernel(lo32(start), hi32(start), bytes, 0, bytes.length)) return 0;
  const offset = bytes[0] === NOP_FIRST ? NOP_LENGTH : 0;
  return bytes[offset] === PUSH_EBP ? Number(start) + offset : 0;
}
