import {
  alu32Imm,
  alu32Reg,
  alu64Imm,
  alu64Reg,
  bswap,
  endian,
  ldImm64,
  movsx32,
  movsx64,
  neg32,
  neg64,
} from '../builders.js';
import type { Insn } from '../insn.js';
import {
  BPF_ADD,
  BPF_AND,
  BPF_ARSH,
  BPF_DIV,
  BPF_LSH,
  BPF_MOD,
  BPF_MOV,
  BPF_MUL,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_TO_BE,
  BPF_TO_LE,
  BPF_XOR,
} from '../opcodes.js';
import type { Cursor } from './cursor.js';
import { parseImmediate32, parseImmediate64 } from './expression.js';
import { functionOperands } from './function-operand.js';
import { parseAddressOf } from './imm64-operand.js';
import { parseLoad } from './memory-statements.js';
import { expectSame, isRegister, parseMemoryType, parseRegister, parseSameWidth, type Register } from './operands.js';
import type { ProgramBuilder } from './program-builder.js';

/** `spelling`, operation and offset field, longer spellings first. */
const operators: readonly (readonly [readonly string[], number, number])[] = [
  [['s', '>', '>', '='], BPF_ARSH, 0],
  [['s', '/', '='], BPF_DIV, 1],
  [['s', '%', '='], BPF_MOD, 1],
  [['<', '<', '='], BPF_LSH, 0],
  [['>', '>', '='], BPF_RSH, 0],
  [['+', '='], BPF_ADD, 0],
  [['-', '='], BPF_SUB, 0],
  [['*', '='], BPF_MUL, 0],
  [['/', '='], BPF_DIV, 0],
  [['%', '='], BPF_MOD, 0],
  [['&', '='], BPF_AND, 0],
  [['|', '='], BPF_OR, 0],
  [['^', '='], BPF_XOR, 0],
];

/** A statement that begins with a register. `code` is the verifier's code prefix, where the text has one. */
export function parseAssignment(cursor: Cursor, program: ProgramBuilder, code: number | undefined): void {
  const dst = parseRegister(cursor);
  const operator = operators.find(([spelling]) => cursor.takeAll(...spelling));
  if (operator !== undefined) {
    program.emit(parseArithmetic(cursor, dst, operator[1], operator[2]));
    return;
  }
  cursor.expect('=', 'after a register comes = or an operator such as +=');
  parseRightSide(cursor, program, dst, code);
}

function parseArithmetic(cursor: Cursor, dst: Register, op: number, off: number): Insn {
  if (isRegister(cursor)) {
    const src = parseSameWidth(cursor, dst);
    return dst.wide ? alu64Reg(op, dst.number, src, off) : alu32Reg(op, dst.number, src, off);
  }
  const imm = parseImmediate32(cursor);
  return dst.wide ? alu64Imm(op, dst.number, imm, off) : alu32Imm(op, dst.number, imm, off);
}

function parseRightSide(cursor: Cursor, program: ProgramBuilder, dst: Register, code: number | undefined): void {
  if (isRegister(cursor)) {
    program.emit(parseArithmetic(cursor, dst, BPF_MOV, 0));
  } else if (cursor.take('*')) {
    parseLoad(cursor, program, dst);
  } else if (cursor.is('-') && isRegister(cursor, 1)) {
    program.emit(parseNegation(cursor, dst));
  } else if (cursor.is('(') && cursor.peek(1).kind === 'name') {
    program.emit(parseSignExtension(cursor, dst));
  } else if (cursor.peek().kind === 'name') {
    parseNamed(cursor, program, dst);
  } else {
    program.emit(...parseNumber(cursor, dst, code));
  }
}

function parseNegation(cursor: Cursor, dst: Register): Insn {
  cursor.expect('-');
  expectSame(cursor, dst);
  return dst.wide ? neg64(dst.number) : neg32(dst.number);
}

/** `(s8)r2` */
function parseSignExtension(cursor: Cursor, dst: Register): Insn {
  cursor.expect('(');
  const type = parseMemoryType(cursor);
  const most = dst.wide ? 32 : 16;
  if (!type.signed || type.bits > most) {
    throw cursor.error('no such sign extension', `take s8${dst.wide ? ', s16 or s32' : ' or s16'}`, type.token);
  }
  cursor.expect(')');
  const src = parseSameWidth(cursor, dst);
  return dst.wide ? movsx64(dst.number, src, type.bits) : movsx32(dst.number, src, type.bits);
}

function parseNamed(cursor: Cursor, program: ProgramBuilder, dst: Register): void {
  const name = cursor.peek().text.toLowerCase();
  const parse = functionOperands.get(name);
  const swap = /^(be|le|bswap)(16|32|64)$/.exec(name);
  if (parse !== undefined) {
    cursor.next();
    parse(cursor, program, dst);
  } else if (swap !== null) {
    cursor.next();
    program.emit(parseSwap(cursor, dst, swap[1], Number(swap[2])));
  } else {
    requireWide(cursor, dst);
    parseAddressOf(cursor, program, dst.number);
  }
}

/** `be16 r1`: always of a 64-bit register. */
function parseSwap(cursor: Cursor, dst: Register, order: string, bits: number): Insn {
  requireWide(cursor, dst);
  expectSame(cursor, dst);
  if (order === 'bswap') return bswap(dst.number, bits);
  return endian(order === 'be' ? BPF_TO_BE : BPF_TO_LE, dst.number, bits);
}

/** A number is a move, or with `ll` behind it (or code 18 before the instruction) a 64-bit load. */
function parseNumber(cursor: Cursor, dst: Register, code: number | undefined): Insn[] {
  const start = cursor.save();
  const value = parseImmediate64(cursor);
  if (cursor.take('ll') || code === 0x18) {
    requireWide(cursor, dst);
    return ldImm64(dst.number, value);
  }
  cursor.restore(start);
  const imm = parseImmediate32(cursor);
  return [dst.wide ? alu64Imm(BPF_MOV, dst.number, imm) : alu32Imm(BPF_MOV, dst.number, imm)];
}

function requireWide(cursor: Cursor, register: Register): void {
  if (register.wide) return;
  throw cursor.error('expected a 64-bit register', `take r${register.number}`, register.token);
}
