import { hi32, lo32, u64 } from '../../../base/index.js';
import type { PtRegs } from '../../../arch/index.js';
import { KernelReader } from './kernel-reader.js';
import type { HostMemory } from '../../index.js';
import { OrcReg, type OrcTable } from './orc-table.js';

interface Frame {
  ip: bigint;
  sp: bigint;
  bp: bigint;
  /** Whether `ip` is where an exception hit, not where a call returns to. */
  exact: boolean;
  /** Whether the other registers are known: in the first frame, and where an exception saved them all. */
  regs: PtRegs | null;
}

/** Offsets of what the hardware saves at the end of struct pt_regs, and of bp in it. */
const IP = 128;
const SP = 152;
const BP = 32;

/** Walks the stack of an x86_64 kernel by its ORC tables, as arch/x86/kernel/unwind_orc.c does. */
export class OrcUnwinder {
  readonly #table: OrcTable;
  readonly #reader: KernelReader;
  readonly #isText: (address: bigint) => boolean;

  constructor(table: OrcTable, memory: HostMemory, isText: (address: bigint) => boolean) {
    this.#table = table;
    this.#reader = new KernelReader(memory, 8);
    this.#isText = isText;
  }

  /** Return addresses from `regs` on, innermost first; how many. Ends where the tables do not lead on. */
  walk(regs: PtRegs, out: Int32Array, max: number): number {
    const frame: Frame = { ip: regs.ip, sp: regs.sp, bp: regs.get(regs.layout.fp), exact: true, regs };
    let found = 0;
    while (found < max && this.#isText(frame.ip)) {
      out[2 * found] = lo32(frame.ip);
      out[2 * found + 1] = hi32(frame.ip);
      found++;
      if (!this.#leave(frame)) break;
    }
    return found;
  }

  #leave(frame: Frame): boolean {
    // A return address may be the first byte behind a call that never returns: the call is what counts.
    const entry = this.#table.at(frame.exact ? frame.ip : frame.ip - 1n);
    if (entry === null || entry.kind === 'end' || entry.kind === 'undefined') return false;
    const from = this.#stackPointer(frame, entry.spReg, BigInt(entry.spOffset));
    if (from === null) return false;
    if (entry.kind !== 'call') return this.#leaveException(frame, from);
    if (!this.#load(from - 8n)) return false;
    const ip = u64(this.#reader.lo, this.#reader.hi);
    const bp = this.#basePointer(frame, entry.bpReg, BigInt(entry.bpOffset), from);
    if (bp === null || from <= frame.sp) return false;
    Object.assign(frame, { ip, sp: from, bp, exact: false, regs: null });
    return true;
  }

  /** `from` is where a struct pt_regs lies. Frames of user mode are not the kernel's. */
  #leaveException(frame: Frame, from: bigint): boolean {
    const values = [IP, SP, BP].map((offset) =>
      this.#load(from + BigInt(offset)) ? u64(this.#reader.lo, this.#reader.hi) : null,
    );
    const [ip, sp, bp] = values;
    if (ip === null || sp === null || bp === null) return false;
    Object.assign(frame, { ip, sp, bp, exact: true, regs: null });
    return true;
  }

  #stackPointer(frame: Frame, reg: number, offset: bigint): bigint | null {
    switch (reg) {
      case OrcReg.sp:
        return frame.sp + offset;
      case OrcReg.bp:
        return frame.bp + offset;
      case OrcReg.spIndirect:
        return this.#load(frame.sp) ? u64(this.#reader.lo, this.#reader.hi) + offset : null;
      case OrcReg.bpIndirect:
        return this.#load(frame.bp + offset) ? u64(this.#reader.lo, this.#reader.hi) : null;
      default:
        return this.#register(frame, reg);
    }
  }

  #register({ regs }: Frame, reg: number): bigint | null {
    const name = { [OrcReg.dx]: 'dx', [OrcReg.di]: 'di', [OrcReg.r10]: 'r10', [OrcReg.r13]: 'r13' }[reg];
    return name === undefined || regs === null ? null : regs.get(regs.slot(name));
  }

  #basePointer(frame: Frame, reg: number, offset: bigint, previousSp: bigint): bigint | null {
    if (reg === OrcReg.undefined) return frame.bp;
    const at = reg === OrcReg.prevSp ? previousSp + offset : reg === OrcReg.bp ? frame.bp + offset : null;
    return at !== null && this.#load(at) ? u64(this.#reader.lo, this.#reader.hi) : null;
  }

  #load(address: bigint): boolean {
    return this.#reader.pointer(lo32(address), hi32(address), 0);
  }
}
