import { atomic, ldsx, ldx, st, stx } from '../builders.js';
import { BPF_ADD, BPF_AND, BPF_OR, BPF_STORE_REL, BPF_XOR } from '../opcodes.js';
import type { Cursor } from './cursor.js';
import { parseImmediate32 } from './expression.js';
import { isRegister, parseAddress, parsePointerType, parseRegister, type Register, requireFit } from './operands.js';
import { parsePacketLoad } from './packet-load.js';
import type { ProgramBuilder } from './program-builder.js';

const lockedOperations: readonly (readonly [string, number])[] = [
  ['+', BPF_ADD],
  ['|', BPF_OR],
  ['&', BPF_AND],
  ['^', BPF_XOR],
];

/** `*(u32 *)(r1 + 8) = r2`, or an immediate; the star has been read. */
export function parseStore(cursor: Cursor, program: ProgramBuilder): void {
  const type = parsePointerType(cursor);
  if (type.signed) throw cursor.error('stores are unsigned', `take u${type.bits}`, type.token);
  const { base, off } = parseAddress(cursor);
  cursor.expect('=');
  if (isRegister(cursor)) {
    const source = parseRegister(cursor);
    requireFit(cursor, source, type);
    program.emit(stx(type.size, base, source.number, off));
  } else {
    program.emit(st(type.size, base, off, parseImmediate32(cursor)));
  }
}

/** `r1 = *(s16 *)(r2 + 8)`, or from a packet: `r0 = *(u8 *)skb[12]`; all up to the star has been read. */
export function parseLoad(cursor: Cursor, program: ProgramBuilder, dst: Register): void {
  const type = parsePointerType(cursor);
  if (cursor.take('skb')) {
    program.emit(parsePacketLoad(cursor, dst, type));
    return;
  }
  if (type.signed && type.bits === 64) throw cursor.error('there is no s64', 'take u64', type.token);
  requireFit(cursor, dst, type);
  const { base, off } = parseAddress(cursor);
  program.emit(type.signed ? ldsx(type.size, dst.number, base, off) : ldx(type.size, dst.number, base, off));
}

/** `lock *(u64 *)(r1 + 0) += r2` */
export function parseLock(cursor: Cursor, program: ProgramBuilder): void {
  cursor.expect('*');
  const type = parsePointerType(cursor);
  if (type.signed || type.bits < 32) {
    throw cursor.error('locked operations work on u32 and u64', undefined, type.token);
  }
  const { base, off } = parseAddress(cursor);
  const operation = lockedOperations.find(([symbol]) => cursor.takeAll(symbol, '='));
  if (operation === undefined) throw cursor.error('expected a locked operation', 'one of += |= &= ^=');
  const source = parseRegister(cursor);
  requireFit(cursor, source, type);
  program.emit(atomic(type.size, operation[1], base, source.number, off));
}

/** `store_release((u64 *)(r1 + 0), r2)` */
export function parseStoreRelease(cursor: Cursor, program: ProgramBuilder): void {
  cursor.expect('(');
  const type = parsePointerType(cursor);
  if (type.signed) throw cursor.error('stores are unsigned', `take u${type.bits}`, type.token);
  const { base, off } = parseAddress(cursor);
  cursor.expect(',');
  const source = parseRegister(cursor);
  requireFit(cursor, source, type);
  cursor.expect(')');
  program.emit(atomic(type.size, BPF_STORE_REL, base, source.number, off));
}
