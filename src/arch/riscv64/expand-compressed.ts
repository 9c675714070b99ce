/**
 * Compressed instructions as what the C extension of RV64 defines them to be: 32-bit instructions. After the RISC-V
 * unprivileged ISA manual, chapter "C", instruction listings for quadrants 0, 1 and 2.
 */

const OP_IMM = 0x13;
const OP_IMM_32 = 0x1b;
const OP = 0x33;
const OP_32 = 0x3b;
const LUI = 0x37;
const LOAD = 0x03;
const LOAD_FP = 0x07;
const STORE = 0x23;
const STORE_FP = 0x27;
const BRANCH = 0x63;
const JALR = 0x67;
const JAL = 0x6f;
const EBREAK = 0x0010_0073;

/** The 32-bit instruction that the 16 bits stand for; 0 where the C extension leaves them reserved. */
export function expandCompressed(c: number): number {
  switch (c & 3) {
    case 0:
      return expandQuadrant0(c);
    case 1:
      return expandQuadrant1(c);
    case 2:
      return expandQuadrant2(c);
    default:
      return 0;
  }
}

function expandQuadrant0(c: number): number {
  const rs1 = shortRegister(c, 7);
  const rd = shortRegister(c, 2);
  // Offsets of words and doublewords.
  const word = field(c, 10, 3, 3) | field(c, 6, 1, 2) | field(c, 5, 1, 6);
  const double = field(c, 10, 3, 3) | field(c, 5, 2, 6);
  switch (c >> 13) {
    case 0: {
      const amount = field(c, 11, 2, 4) | field(c, 7, 4, 6) | field(c, 6, 1, 2) | field(c, 5, 1, 3);
      return amount === 0 ? 0 : immediate(OP_IMM, 0, rd, 2, amount);
    }
    case 1:
      return immediate(LOAD_FP, 3, rd, rs1, double);
    case 2:
      return immediate(LOAD, 2, rd, rs1, word);
    case 3:
      return immediate(LOAD, 3, rd, rs1, double);
    case 5:
      return store(STORE_FP, 3, rs1, rd, double);
    case 6:
      return store(STORE, 2, rs1, rd, word);
    case 7:
      return store(STORE, 3, rs1, rd, double);
    default:
      return 0;
  }
}

function expandQuadrant1(c: number): number {
  const rd = (c >> 7) & 31;
  const imm = signExtend(field(c, 12, 1, 5) | field(c, 2, 5, 0), 6);
  switch (c >> 13) {
    case 0:
      return immediate(OP_IMM, 0, rd, rd, imm);
    case 1:
      return rd === 0 ? 0 : immediate(OP_IMM_32, 0, rd, rd, imm);
    case 2:
      return immediate(OP_IMM, 0, rd, 0, imm);
    case 3:
      return rd === 2 ? expandStackAdjustment(c) : expandLui(rd, imm);
    case 4:
      return expandArithmetic(c);
    case 5:
      return jump(0, jumpOffset(c));
    default:
      return branch((c >> 13) & 1, shortRegister(c, 7), branchOffset(c));
  }
}

function expandStackAdjustment(c: number): number {
  const amount = field(c, 12, 1, 9) | field(c, 6, 1, 4) | field(c, 5, 1, 6) | field(c, 3, 2, 7) | field(c, 2, 1, 5);
  return amount === 0 ? 0 : immediate(OP_IMM, 0, 2, 2, signExtend(amount, 10));
}

function expandLui(rd: number, imm: number): number {
  return imm === 0 ? 0 : (imm << 12) | (rd << 7) | LUI;
}

function expandArithmetic(c: number): number {
  const rd = shortRegister(c, 7);
  const rs2 = shortRegister(c, 2);
  const amount = field(c, 12, 1, 5) | field(c, 2, 5, 0);
  switch ((c >> 10) & 3) {
    case 0:
      return immediate(OP_IMM, 5, rd, rd, amount);
    case 1:
      return immediate(OP_IMM, 5, rd, rd, amount | 0x400);
    case 2:
      return immediate(OP_IMM, 7, rd, rd, signExtend(amount, 6));
    default:
      return expandRegisters(field(c, 12, 1, 2) | field(c, 5, 2, 0), rd, rs2);
  }
}

/** c.sub c.xor c.or c.and c.subw c.addw, and two that are reserved. */
function expandRegisters(code: number, rd: number, rs2: number): number {
  switch (code) {
    case 0:
      return registers(OP, 0, 0x20, rd, rd, rs2);
    case 1:
      return registers(OP, 4, 0, rd, rd, rs2);
    case 2:
      return registers(OP, 6, 0, rd, rd, rs2);
    case 3:
      return registers(OP, 7, 0, rd, rd, rs2);
    case 4:
      return registers(OP_32, 0, 0x20, rd, rd, rs2);
    case 5:
      return registers(OP_32, 0, 0, rd, rd, rs2);
    default:
      return 0;
  }
}

function expandQuadrant2(c: number): number {
  const rd = (c >> 7) & 31;
  const rs2 = (c >> 2) & 31;
  const loaded = field(c, 12, 1, 5) | field(c, 5, 2, 3) | field(c, 2, 3, 6);
  const loadedWord = field(c, 12, 1, 5) | field(c, 4, 3, 2) | field(c, 2, 2, 6);
  const stored = field(c, 10, 3, 3) | field(c, 7, 3, 6);
  const storedWord = field(c, 9, 4, 2) | field(c, 7, 2, 6);
  switch (c >> 13) {
    case 0:
      return immediate(OP_IMM, 1, rd, rd, field(c, 12, 1, 5) | field(c, 2, 5, 0));
    case 1:
      return immediate(LOAD_FP, 3, rd, 2, loaded);
    case 2:
      return rd === 0 ? 0 : immediate(LOAD, 2, rd, 2, loadedWord);
    case 3:
      return rd === 0 ? 0 : immediate(LOAD, 3, rd, 2, loaded);
    case 4:
      return expandJumpOrMove((c >> 12) & 1, rd, rs2);
    case 5:
      return store(STORE_FP, 3, 2, rs2, stored);
    case 6:
      return store(STORE, 2, 2, rs2, storedWord);
    default:
      return store(STORE, 3, 2, rs2, stored);
  }
}

/** c.jr and c.mv (0), c.ebreak, c.jalr and c.add (1). */
function expandJumpOrMove(bit12: number, rd: number, rs2: number): number {
  if (rs2 !== 0) return registers(OP, 0, 0, rd, bit12 === 0 ? 0 : rd, rs2);
  if (rd !== 0) return immediate(JALR, 0, bit12, rd, 0);
  return bit12 === 0 ? 0 : EBREAK;
}

/** `width` bits of `c` from bit `from` on, moved to bit `to`. */
function field(c: number, from: number, width: number, to: number): number {
  return ((c >> from) & ((1 << width) - 1)) << to;
}

/** One of the eight registers x8 to x15 that three bits name. */
function shortRegister(c: number, at: number): number {
  return 8 + ((c >> at) & 7);
}

function signExtend(value: number, bits: number): number {
  return (value << (32 - bits)) >> (32 - bits);
}

function jumpOffset(c: number): number {
  const high = field(c, 12, 1, 11) | field(c, 11, 1, 4) | field(c, 9, 2, 8) | field(c, 8, 1, 10);
  return signExtend(high | field(c, 7, 1, 6) | field(c, 6, 1, 7) | field(c, 3, 3, 1) | field(c, 2, 1, 5), 12);
}

function branchOffset(c: number): number {
  const high = field(c, 12, 1, 8) | field(c, 10, 2, 3) | field(c, 5, 2, 6);
  return signExtend(high | field(c, 3, 2, 1) | field(c, 2, 1, 5), 9);
}

function immediate(opcode: number, funct3: number, rd: number, rs1: number, imm: number): number {
  return (imm << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode;
}

function registers(opcode: number, funct3: number, funct7: number, rd: number, rs1: number, rs2: number): number {
  return (funct7 << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode;
}

function store(opcode: number, funct3: number, rs1: number, rs2: number, offset: number): number {
  return ((offset >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | ((offset & 31) << 7) | opcode;
}

function branch(funct3: number, rs1: number, offset: number): number {
  const high = (((offset >> 12) & 1) << 31) | (((offset >> 5) & 0x3f) << 25);
  const low = (((offset >> 1) & 15) << 8) | (((offset >> 11) & 1) << 7);
  return high | (rs1 << 15) | (funct3 << 12) | low | BRANCH;
}

function jump(rd: number, offset: number): number {
  const high = (((offset >> 20) & 1) << 31) | (((offset >> 1) & 0x3ff) << 21);
  return high | (((offset >> 11) & 1) << 20) | (((offset >> 12) & 0xff) << 12) | (rd << 7) | JAL;
}
