import { alu64Reg, atomic } from '../builders.js';
import {
  BPF_ADD,
  BPF_ADDR_SPACE_CAST,
  BPF_AND,
  BPF_CMPXCHG,
  BPF_DW,
  BPF_FETCH,
  BPF_LOAD_ACQ,
  BPF_MOV,
  BPF_OR,
  BPF_W,
  BPF_XCHG,
  BPF_XOR,
} from '../opcodes.js';
import type { Cursor } from './cursor.js';
import { parseIndex } from './expression.js';
import {
  type Address,
  expectSame,
  parseAddress,
  parseBaseAndOffset,
  parsePointerType,
  parseRegister,
  parseWide,
  requireFit,
  type Register,
} from './operands.js';
import type { ProgramBuilder } from './program-builder.js';

type Parse = (cursor: Cursor, program: ProgramBuilder, dst: Register) => void;

/** What may stand right of `=` and looks like a function call. Both clang's names and the verifier's. */
export const functionOperands: ReadonlyMap<string, Parse> = new Map([
  ...[
    ['add', BPF_ADD],
    ['or', BPF_OR],
    ['and', BPF_AND],
    ['xor', BPF_XOR],
  ].flatMap(([name, op]): [string, Parse][] => [
    [`atomic_fetch_${name}`, fetch(Number(op) | BPF_FETCH)],
    [`atomic64_fetch_${name}`, fetch(Number(op) | BPF_FETCH)],
  ]),
  ['atomic_xchg', fetch(BPF_XCHG)],
  ['atomic64_xchg', fetch(BPF_XCHG)],
  ['xchg_64', exchange(BPF_DW, true)],
  ['xchg32_32', exchange(BPF_W, false)],
  ['atomic_cmpxchg', parseTypedCompareExchange],
  ['atomic64_cmpxchg', parseTypedCompareExchange],
  ['cmpxchg_64', compareExchange(BPF_DW, true)],
  ['cmpxchg32_32', compareExchange(BPF_W, false)],
  ['load_acquire', parseLoadAcquire],
  ['addr_space_cast', parseAddressSpaceCast],
]);

/** `r3 = atomic_fetch_add((u64 *)(r1 + 0), r3)` */
function fetch(op: number): Parse {
  return (cursor, program, dst) => {
    cursor.expect('(');
    const { size, off, base } = parseCell(cursor, dst);
    cursor.expect(',');
    expectSame(cursor, dst);
    cursor.expect(')');
    program.emit(atomic(size, op, base, dst.number, off));
  };
}

/** `r3 = xchg_64(r1 + 0, r3)` */
function exchange(size: number, wide: boolean): Parse {
  return (cursor, program, dst) => {
    requireWidth(cursor, dst, wide);
    cursor.expect('(');
    const { base, off } = parseBaseAndOffset(cursor);
    cursor.expect(',');
    expectSame(cursor, dst);
    cursor.expect(')');
    program.emit(atomic(size, BPF_XCHG, base, dst.number, off));
  };
}

/** `r0 = cmpxchg_64(r1 + 0, r0, r3)` */
function compareExchange(size: number, wide: boolean): Parse {
  return (cursor, program, dst) => {
    requireWidth(cursor, dst, wide);
    cursor.expect('(');
    const { base, off } = parseBaseAndOffset(cursor);
    program.emit(atomic(size, BPF_CMPXCHG, base, parseExchanged(cursor, dst), off));
  };
}

/** `r0 = atomic64_cmpxchg((u64 *)(r1 + 0), r0, r3)` */
function parseTypedCompareExchange(cursor: Cursor, program: ProgramBuilder, dst: Register): void {
  cursor.expect('(');
  const { size, base, off } = parseCell(cursor, dst);
  program.emit(atomic(size, BPF_CMPXCHG, base, parseExchanged(cursor, dst), off));
}

/** `, r0, r3)`: r0 is compared and receives the old value, so it is named twice. */
function parseExchanged(cursor: Cursor, dst: Register): number {
  if (dst.number !== 0) throw cursor.error('compare-and-exchange goes to r0', undefined, dst.token);
  cursor.expect(',');
  expectSame(cursor, dst);
  cursor.expect(',');
  const source = parseRegister(cursor);
  requireWidth(cursor, source, dst.wide);
  cursor.expect(')');
  return source.number;
}

/** `(u32 *)(r1 + 8)`: where a read-modify-write works. */
function parseCell(cursor: Cursor, value: Register): Address & { readonly size: number } {
  const type = parsePointerType(cursor);
  if (type.signed || type.bits < 32) throw cursor.error('atomics work on u32 and u64', undefined, type.token);
  requireFit(cursor, value, type);
  return { size: type.size, ...parseAddress(cursor) };
}

/** `r1 = load_acquire((u64 *)(r2 + 0))` */
function parseLoadAcquire(cursor: Cursor, program: ProgramBuilder, dst: Register): void {
  cursor.expect('(');
  const type = parsePointerType(cursor);
  if (type.signed) throw cursor.error('acquiring loads are unsigned', `take u${type.bits}`, type.token);
  requireFit(cursor, dst, type);
  const { base, off } = parseAddress(cursor);
  cursor.expect(')');
  program.emit(atomic(type.size, BPF_LOAD_ACQ, dst.number, base, off));
}

/** `r1 = addr_space_cast(r2, 0, 1)` */
function parseAddressSpaceCast(cursor: Cursor, program: ProgramBuilder, dst: Register): void {
  requireWidth(cursor, dst, true);
  cursor.expect('(');
  const source = parseWide(cursor);
  cursor.expect(',');
  const to = parseIndex(cursor, 0xffff);
  cursor.expect(',');
  const from = parseIndex(cursor, 0xffff);
  cursor.expect(')');
  const imm = (to << 16) | from | 0;
  program.emit({ ...alu64Reg(BPF_MOV, dst.number, source, BPF_ADDR_SPACE_CAST), imm });
}

function requireWidth(cursor: Cursor, register: Register, wide: boolean): void {
  if (register.wide === wide) return;
  const what = `expected a ${wide ? '64' : '32'}-bit register`;
  throw cursor.error(what, `take ${wide ? 'r' : 'w'}${register.number}`, register.token);
}
