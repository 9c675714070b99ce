import { BpfPseudo } from '../../../base/index.js';
import {
  call,
  callSubprog,
  callx,
  exit,
  gotol,
  insn,
  ja,
  jmp32Imm,
  jmp32Reg,
  jmpImm,
  jmpReg,
  mayGoto,
} from '../builders.js';
import type { Insn } from '../insn.js';
import {
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JLE,
  BPF_JLT,
  BPF_JNE,
  BPF_JSET,
  BPF_JSGE,
  BPF_JSGT,
  BPF_JSLE,
  BPF_JSLT,
  CALL,
} from '../opcodes.js';
import type { Cursor } from './cursor.js';
import { helperId } from './helper-id.js';
import { parseDistance32, parseImmediate32, parseOffset16 } from './expression.js';
import { isRegister, parseRegister, parseSameWidth, parseWide } from './operands.js';
import type { ProgramBuilder } from './program-builder.js';

/** Longer spellings before those they start with. */
const comparisons: readonly (readonly [readonly string[], number])[] = [
  [['s', '>', '='], BPF_JSGE],
  [['s', '<', '='], BPF_JSLE],
  [['s', '>'], BPF_JSGT],
  [['s', '<'], BPF_JSLT],
  [['=', '='], BPF_JEQ],
  [['!='], BPF_JNE],
  [['>', '='], BPF_JGE],
  [['<', '='], BPF_JLE],
  [['>'], BPF_JGT],
  [['<'], BPF_JLT],
  [['&'], BPF_JSET],
];

/** `if r1 s> 5 goto target` */
export function parseIf(cursor: Cursor, program: ProgramBuilder): void {
  const left = parseRegister(cursor);
  const comparison = comparisons.find(([spelling]) => cursor.takeAll(...spelling));
  if (comparison === undefined) {
    throw cursor.error('expected a comparison', 'one of == != > >= < <= s> s>= s< s<= &');
  }
  const op = comparison[1];
  let jump: Insn;
  if (isRegister(cursor)) {
    const right = parseSameWidth(cursor, left);
    jump = left.wide ? jmpReg(op, left.number, right, 0) : jmp32Reg(op, left.number, right, 0);
  } else {
    const imm = parseImmediate32(cursor);
    jump = left.wide ? jmpImm(op, left.number, imm, 0) : jmp32Imm(op, left.number, imm, 0);
  }
  cursor.expect('goto');
  parseTarget16(cursor, program, jump);
}

export function parseGoto(cursor: Cursor, program: ProgramBuilder): void {
  parseTarget16(cursor, program, ja(0));
}

export function parseMayGoto(cursor: Cursor, program: ProgramBuilder): void {
  parseTarget16(cursor, program, mayGoto(0));
}

export function parseGotol(cursor: Cursor, program: ProgramBuilder): void {
  if (isLabel(cursor)) program.emitReference(cursor.next(), 'imm', gotol(0));
  else program.emit(gotol(parseDistance32(afterPc(cursor))));
}

/** `call 14`, `call helper_name`, `call label`, and as the verifier writes them `call pc+3`, `call bpf_name#14`. */
export function parseCall(cursor: Cursor, program: ProgramBuilder): void {
  if (isPcRelative(cursor)) {
    program.emit(callSubprog(parseDistance32(afterPc(cursor))));
  } else if (cursor.peek().kind === 'name') {
    parseNamedCall(cursor, program);
  } else {
    program.emit(call(parseImmediate32(cursor)));
  }
}

export function parseCallx(cursor: Cursor, program: ProgramBuilder): void {
  program.emit(callx(parseWide(cursor)));
}

export function parseExit(_cursor: Cursor, program: ProgramBuilder): void {
  program.emit(exit());
}

function parseNamedCall(cursor: Cursor, program: ProgramBuilder): void {
  const name = cursor.next();
  if (name.text === 'kernel') cursor.takeAll('-', 'function');
  if (cursor.peek().kind === 'id') program.emit(numberedCall(name.text, Number(cursor.next().value)));
  else program.emitReference(name, 'call', call(0));
}

/** A call as the verifier writes it: what has a number and is no helper is a kfunc. */
function numberedCall(name: string, number: number): Insn {
  if (name === 'unknown' || helperId(name) !== undefined) return call(number);
  return insn(CALL, 0, BpfPseudo.BPF_PSEUDO_KFUNC_CALL, 0, number);
}

function parseTarget16(cursor: Cursor, program: ProgramBuilder, jump: Insn): void {
  if (isLabel(cursor)) program.emitReference(cursor.next(), 'off', jump);
  else program.emit({ ...jump, off: parseOffset16(afterPc(cursor)) });
}

function isLabel(cursor: Cursor): boolean {
  const { kind } = cursor.peek();
  return kind === 'local' || (kind === 'name' && !isPcRelative(cursor));
}

/** `pc+3` */
function isPcRelative(cursor: Cursor): boolean {
  return cursor.is('pc') && (cursor.is('+', 1) || cursor.is('-', 1));
}

function afterPc(cursor: Cursor): Cursor {
  if (isPcRelative(cursor)) cursor.next();
  return cursor;
}
