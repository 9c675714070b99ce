import { BPF_B, BPF_DW, BPF_H, BPF_W } from '../opcodes.js';
import type { Cursor } from './cursor.js';
import { parseOffset16 } from './expression.js';
import type { Token } from './tokenizer.js';

/** `r3`, or `w3` for its low word. */
export interface Register {
  readonly number: number;
  readonly wide: boolean;
  readonly token: Token;
}

/** `(r1 + 8)` */
export interface Address {
  readonly base: number;
  readonly off: number;
}

/** `u32`, `s8` ... */
export interface MemoryType {
  readonly size: number;
  readonly signed: boolean;
  readonly bits: number;
  readonly token: Token;
}

/** r11 exists in clang's syntax; no program that has it passes the check. */
const registerName = /^([rw])(\d|10|11)$/;

const memoryTypes: ReadonlyMap<string, { readonly size: number; readonly bits: number }> = new Map([
  ['8', { size: BPF_B, bits: 8 }],
  ['16', { size: BPF_H, bits: 16 }],
  ['32', { size: BPF_W, bits: 32 }],
  ['64', { size: BPF_DW, bits: 64 }],
]);

/** Whether a register comes `ahead` tokens on. */
export function isRegister(cursor: Cursor, ahead = 0): boolean {
  const token = cursor.peek(ahead);
  return token.kind === 'name' && registerName.test(token.text.toLowerCase());
}

export function parseRegister(cursor: Cursor): Register {
  const token = cursor.peek();
  const name = token.kind === 'name' ? registerName.exec(token.text.toLowerCase()) : null;
  if (name === null) throw cursor.error('expected a register', 'registers are r0 to r10, and w0 to w10 for low words');
  cursor.next();
  return { number: Number(name[2]), wide: name[1] === 'r', token };
}

/** A register of the same width as `like`. */
export function parseSameWidth(cursor: Cursor, like: Register): number {
  const register = parseRegister(cursor);
  if (register.wide === like.wide) return register.number;
  const hint = `take ${like.wide ? 'r' : 'w'}${register.number}`;
  throw cursor.error('64-bit and 32-bit registers cannot be mixed', hint, register.token);
}

/** The very register `like`, as in the right side of `r1 = -r1`. */
export function expectSame(cursor: Cursor, like: Register): void {
  const register = parseRegister(cursor);
  if (register.number === like.number && register.wide === like.wide) return;
  throw cursor.error('source and destination must be the same', `write ${like.token.text}`, register.token);
}

/** A 64-bit register. */
export function parseWide(cursor: Cursor): number {
  const register = parseRegister(cursor);
  if (register.wide) return register.number;
  throw cursor.error('expected a 64-bit register', `take r${register.number}`, register.token);
}

/** `u32` or `s8`. */
export function parseMemoryType(cursor: Cursor): MemoryType {
  const token = cursor.peek();
  const name = /^([us])(8|16|32|64)$/.exec(token.text.toLowerCase());
  const type = name === null ? undefined : memoryTypes.get(name[2]);
  if (name === null || type === undefined) throw cursor.error('expected a type', 'types are u8 to u64 and s8 to s32');
  cursor.next();
  return { ...type, signed: name[1] === 's', token };
}

/** `(u32 *)` */
export function parsePointerType(cursor: Cursor): MemoryType {
  cursor.expect('(');
  const type = parseMemoryType(cursor);
  cursor.expect('*');
  cursor.expect(')');
  return type;
}

/** `(r1 + 8)` */
export function parseAddress(cursor: Cursor): Address {
  cursor.expect('(');
  const address = parseBaseAndOffset(cursor);
  cursor.expect(')');
  return address;
}

/** `r1 + 8` */
export function parseBaseAndOffset(cursor: Cursor): Address {
  const base = parseWide(cursor);
  const off = cursor.is('+') || cursor.is('-') ? parseOffset16(cursor) : 0;
  return { base, off };
}

/** Whether a register of this width can hold values of the type; the low word is enough up to 32 bits. */
export function requireFit(cursor: Cursor, register: Register, type: MemoryType): void {
  if (register.wide || (type.bits <= 32 && !type.signed)) return;
  throw cursor.error(`${type.token.text} needs a 64-bit register`, `take r${register.number}`, register.token);
}
