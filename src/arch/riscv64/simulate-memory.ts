import { hi32, lo32 } from '../../base/index.js';
import type { SimulateInsn } from '../arch.js';
import { add64, type Word64 } from '../word64.js';
import { loadSized, storeSized } from '../sized-access.js';
import { RiscvSlot } from './pt-regs.js';
import { readX, writeX } from './registers.js';

const { epc } = RiscvSlot;
const address: Word64 = { lo: 0, hi: 0 };
const value: Word64 = { lo: 0, hi: 0 };

/** lb, lh, lw, ld, lbu, lhu, lwu; null for the one code that is reserved. */
export function simulateLoad(word: number, next: bigint): SimulateInsn | null {
  const rd = (word >> 7) & 31;
  const rs1 = (word >> 15) & 31;
  const funct3 = (word >> 12) & 7;
  const offset = word >> 20;
  if (funct3 === 7) return null;
  const size = 1 << (funct3 & 3);
  const signed = funct3 < 4;
  const nextLo = lo32(next);
  const nextHi = hi32(next);
  return (regs, memory) => {
    readX(address, regs, rs1);
    add64(address, address.lo, address.hi, offset, offset >> 31);
    if (!loadSized(memory, address.lo, address.hi, size, signed, value)) return false;
    writeX(regs, rd, value.lo, value.hi);
    regs.set(epc, nextLo, nextHi);
    return true;
  };
}

/** sb, sh, sw, sd; null for the codes that are reserved. */
export function simulateStore(word: number, next: bigint): SimulateInsn | null {
  const rs1 = (word >> 15) & 31;
  const rs2 = (word >> 20) & 31;
  const funct3 = (word >> 12) & 7;
  const offset = ((word >> 25) << 5) | ((word >> 7) & 31);
  if (funct3 > 3) return null;
  const size = 1 << funct3;
  const nextLo = lo32(next);
  const nextHi = hi32(next);
  return (regs, memory) => {
    readX(address, regs, rs1);
    add64(address, address.lo, address.hi, offset, offset >> 31);
    readX(value, regs, rs2);
    if (!storeSized(memory, address.lo, address.hi, size, value)) return false;
    regs.set(epc, nextLo, nextHi);
    return true;
  };
}
