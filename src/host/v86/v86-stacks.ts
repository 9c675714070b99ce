import type { PtRegs } from '../../arch/index.js';
import type { GuestMemory } from '../guest/index.js';
import type { HostStacks } from '../host.js';

const THREAD_SIZE = 8192;
/** Bytes that the kernel leaves free above the user's registers: with vm86 support, and without. */
const PADDINGS = [16, 8];
const USER_MODE = 3;
/** __USER_CS. */
const USER_CS = 0x73;
/** Set in a saved frame pointer of the kernel's own; clear where an entry stored the address of its registers instead. */
const KERNEL_BIT = 0x8000_0000;

const PUSH_EBP = 0x55;
const FTRACE_NOP = 0x3e;

/** What the stacks ask of the text. */
export interface TrappedText {
  /** Registers of the trap being handled, or null. */
  readonly event: PtRegs | null;
  /** The byte of the kernel's own at `address` where a breakpoint of ours stands, else undefined. */
  displaced(address: number): number | undefined;
}

/** Register slots by name, looked up once. */
interface Slots {
  readonly bp: number;
  readonly sp: number;
  readonly ip: number;
  readonly cs: number;
}

/** Walks along ebp: Debian's i386 kernels are built with frame pointers. Programs may or may not be. */
export class V86Stacks implements HostStacks {
  readonly #memory: GuestMemory;
  readonly #text: TrappedText;
  readonly #slots: Slots;
  readonly #size: number;
  readonly #bytes = new Uint8Array(8);

  constructor(memory: GuestMemory, layout: PtRegs['layout'], text: TrappedText) {
    const slot = (name: string): number => layout.names.indexOf(name);
    this.#memory = memory;
    this.#text = text;
    this.#slots = { bp: slot('bp'), sp: layout.sp, ip: layout.ip, cs: slot('cs') };
    this.#size = layout.size;
  }

  kernel(given: PtRegs | null, out: Int32Array, max: number): number {
    const regs = given ?? this.#text.event;
    if (regs === null || max <= 0 || !this.#isKernel(regs.lo(this.#slots.ip))) return 0;
    put(out, 0, regs.lo(this.#slots.ip));
    return this.#walkKernel(regs.lo(this.#slots.bp), out, this.#callerBeforeFrame(regs, out, max), max);
  }

  user(given: PtRegs | null, out: Int32Array, max: number): number {
    const regs = given ?? this.#text.event;
    if (regs === null || max <= 0) return 0;
    const ip = regs.lo(this.#slots.ip);
    if (!this.#isKernel(ip)) {
      put(out, 0, ip);
      return this.#walkUser(regs.lo(this.#slots.bp), out, max);
    }
    const at = this.#userRegisters(regs.lo(this.#slots.sp));
    if (at === null) return 0;
    put(out, 0, this.#word(at + 4 * this.#slots.ip));
    return this.#walkUser(this.#word(at + 4 * this.#slots.bp), out, max);
  }

  #isKernel(address: number): boolean {
    return !this.#memory.isUser(address, 0);
  }

  /** Before a function has saved ebp its caller is on top of the stack: at its `push %ebp`, and at the nop before it. */
  #callerBeforeFrame(regs: PtRegs, out: Int32Array, max: number): number {
    const { ip, sp } = this.#slots;
    const at = regs.lo(ip) >>> 0;
    // A breakpoint traps behind itself.
    const first = this.#text.displaced(at - 1) ?? this.#word(at) & 0xff;
    if (max < 2 || (first !== PUSH_EBP && first !== FTRACE_NOP)) return 1;
    const caller = this.#word(regs.lo(sp));
    if (!this.#isKernel(caller) || caller === 0) return 1;
    put(out, 1, caller);
    return 2;
  }

  #walkKernel(start: number, out: Int32Array, found: number, max: number): number {
    let bp = start >>> 0;
    let count = found;
    while (count < max && bp !== 0) {
      if (bp < KERNEL_BIT) {
        const registers = (bp | KERNEL_BIT) >>> 0;
        if ((this.#word(registers + 4 * this.#slots.cs) & USER_MODE) === USER_MODE) break;
        put(out, count++, this.#word(registers + 4 * this.#slots.ip));
        bp = this.#word(registers + 4 * this.#slots.bp) >>> 0;
        continue;
      }
      if (!this.#readFrame(bp, false)) break;
      const [next, ret] = this.#frame();
      if (ret === 0 || !this.#isKernel(ret)) break;
      put(out, count++, ret);
      // Frames of one stack lie ever higher; an entry's registers may lie on another one.
      if (next >= KERNEL_BIT && next <= bp) break;
      bp = next;
    }
    return count;
  }

  #walkUser(start: number, out: Int32Array, max: number): number {
    let bp = start >>> 0;
    let count = 1;
    while (count < max && bp !== 0 && (bp & 3) === 0 && this.#readFrame(bp, true)) {
      const [next, ret] = this.#frame();
      if (ret === 0 || this.#isKernel(ret)) break;
      put(out, count++, ret);
      if (next <= bp) break;
      bp = next;
    }
    return count;
  }

  /** Where the registers of the program lie on the kernel stack that `sp` is on; null where there are none. */
  #userRegisters(sp: number): number | null {
    const top = ((sp >>> 0) & -THREAD_SIZE) + THREAD_SIZE;
    for (const padding of PADDINGS) {
      const at = top - padding - this.#size;
      const cs = this.#word(at + 4 * this.#slots.cs) & 0xffff;
      if (cs === USER_CS) return at;
    }
    return null;
  }

  #readFrame(bp: number, user: boolean): boolean {
    const { readUser, readKernel } = this.#memory;
    return (user ? readUser : readKernel).call(this.#memory, bp | 0, 0, this.#bytes, 0, 8);
  }

  /** The frame just read: saved ebp and return address, unsigned. */
  #frame(): readonly [next: number, ret: number] {
    return [word(this.#bytes, 0), word(this.#bytes, 4)];
  }

  #word(address: number): number {
    return this.#memory.readKernel(address | 0, 0, this.#bytes, 0, 4) ? word(this.#bytes, 0) : 0;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

function put(out: Int32Array, index: number, address: number): void {
  out[2 * index] = address | 0;
  out[2 * index + 1] = 0;
}
