import { hi32, lo32 } from '../../base/index.js';
import type { SimulateInsn } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import { add64, type Word64 } from '../word64.js';
import { Arm64Slot } from './pt-regs.js';
import { advance, readRegister, REGISTER_31, signedField, simulateNop, writeRegister } from './straight.js';

const { sp } = Arm64Slot;
const scratch = new Uint8Array(16);
const view = new DataView(scratch.buffer);
const value: Word64 = { lo: 0, hi: 0 };
const base: Word64 = { lo: 0, hi: 0 };
const moved: Word64 = { lo: 0, hi: 0 };

/** When the base register takes the offset: never, behind the access, or before it. */
type Writeback = 'none' | 'post' | 'pre';

/** A load or store of one or two general registers. */
interface Access {
  readonly load: boolean;
  /** Binary logarithm of a register's bytes in memory. */
  readonly size: number;
  /** Whether loads extend the sign: not at all, to 32 or to 64 bits. */
  readonly signed: 0 | 32 | 64;
  readonly registers: readonly number[];
  readonly base: number;
  readonly offset: number;
  readonly writeback: Writeback;
}

/**
 * ldr, str, ldur and their kin of a general register; null for what is reserved, what the architecture leaves open
 * (a base that is also loaded or stored) and, unless `stack`, what moves the stack pointer or stores below it.
 */
export function simulateLoadStore(word: number, next: bigint, stack: boolean): SimulateInsn | null {
  const size = word >>> 30;
  const operation = (word >>> 22) & 3;
  const scaled = (word & 0x0100_0000) !== 0;
  const writeback = scaled ? 'none' : writebackOf((word >>> 10) & 3);
  // prfm and prfum.
  if (size === 3 && operation === 2) return writeback === 'none' ? simulateNop(next) : null;
  if (size >= 2 && operation === 3) return null;
  return simulateAccess(
    {
      load: operation !== 0,
      size,
      signed: operation === 2 ? 64 : operation === 3 ? 32 : 0,
      registers: [word & 0x1f],
      base: (word >>> 5) & 0x1f,
      offset: scaled ? ((word >>> 10) & 0xfff) << size : signedField(word, 12, 9),
      writeback,
    },
    next,
    stack,
  );
}

/** ldp, stp, ldpsw, ldnp and stnp of general registers; null as above. */
export function simulatePair(word: number, next: bigint, stack: boolean): SimulateInsn | null {
  const operation = word >>> 30;
  const mode = (word >>> 23) & 3;
  const load = (word & 0x0040_0000) !== 0;
  // stgp and forms unknown here; ldnp has no signed form.
  if (operation === 3 || (operation === 1 && (!load || mode === 0))) return null;
  const size = operation === 2 ? 3 : 2;
  const registers = [word & 0x1f, (word >>> 10) & 0x1f];
  if (load && registers[0] === registers[1]) return null;
  return simulateAccess(
    {
      load,
      size,
      signed: operation === 1 ? 64 : 0,
      registers,
      base: (word >>> 5) & 0x1f,
      offset: signedField(word, 15, 7) << size,
      writeback: writebackOf(mode === 2 ? 0 : mode),
    },
    next,
    stack,
  );
}

/** ldr and ldrsw of a general register from a literal. */
export function simulateLoadLiteral(word: number, address: bigint, signed: boolean): SimulateInsn {
  const literal = address + 4n * BigInt(signedField(word, 5, 19));
  const lo = lo32(literal);
  const hi = hi32(literal);
  const register = word & 0x1f;
  const size = !signed && (word & 0x4000_0000) !== 0 ? 3 : 2;
  return advance(address + 4n, (regs, memory) => {
    if (!memory.read(lo, hi, scratch, 1 << size)) return false;
    unpack(0, size, signed ? 64 : 0);
    writeRegister(regs, register, value.lo, value.hi);
    return true;
  });
}

function writebackOf(mode: number): Writeback {
  if (mode === 1) return 'post';
  return mode === 3 ? 'pre' : 'none';
}

function simulateAccess(access: Access, next: bigint, stack: boolean): SimulateInsn | null {
  const { load, size, registers, offset, writeback } = access;
  if (isLeftOpen(access) || (!stack && touchesFreeStack(access))) return null;
  const step = 1 << size;
  const length = step * registers.length;
  const move = writeback === 'none' ? () => {} : (regs: PtRegs) => regs.set(access.base, moved.lo, moved.hi);
  const at = writeback === 'post' ? base : moved;
  return advance(next, (regs, memory) => {
    base.lo = regs.lo(access.base);
    base.hi = regs.hi(access.base);
    add64(moved, base.lo, base.hi, offset, offset >> 31);
    if (load) {
      if (!memory.read(at.lo, at.hi, scratch, length)) return false;
      for (let i = 0; i < registers.length; i++) {
        unpack(i * step, size, access.signed);
        writeRegister(regs, registers[i], value.lo, value.hi);
      }
    } else {
      for (let i = 0; i < registers.length; i++) {
        readRegister(value, regs, registers[i]);
        pack(i * step, size);
      }
      if (!memory.write(at.lo, at.hi, scratch, length)) return false;
    }
    move(regs);
    return true;
  });
}

/** A base that is written back and also loaded or stored: implementations may differ. */
function isLeftOpen({ writeback, registers, base: register }: Access): boolean {
  return writeback !== 'none' && register !== REGISTER_31 && registers.includes(register);
}

/** Whether the stack pointer moves, or bytes below it are written, where a trap frame may lie. */
function touchesFreeStack({ load, base: register, offset, writeback }: Access): boolean {
  return register === sp && (writeback !== 'none' || (!load && offset < 0));
}

/** Takes `value` out of the scratch bytes. */
function unpack(offset: number, size: number, signed: 0 | 32 | 64): void {
  value.hi = 0;
  if (size === 3) {
    value.hi = view.getInt32(offset + 4, true);
    value.lo = view.getInt32(offset, true);
    return;
  }
  value.lo = unpackNarrow(offset, size, signed !== 0);
  if (signed === 64) value.hi = value.lo >> 31;
}

function unpackNarrow(offset: number, size: number, signed: boolean): number {
  if (size === 2) return view.getInt32(offset, true);
  if (size === 1) return signed ? view.getInt16(offset, true) : view.getUint16(offset, true);
  return signed ? view.getInt8(offset) : view.getUint8(offset);
}

/** Puts the low bytes of `value` into the scratch bytes. */
function pack(offset: number, size: number): void {
  if (size === 0) view.setInt8(offset, value.lo);
  else if (size === 1) view.setInt16(offset, value.lo, true);
  else view.setInt32(offset, value.lo, true);
  if (size === 3) view.setInt32(offset + 4, value.hi, true);
}
