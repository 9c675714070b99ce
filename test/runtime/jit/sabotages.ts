import { Op } from '../../../src/runtime/interp/op.js';
import { Emitter } from '../../../src/runtime/jit/lower/emitter.js';
import { HashCode } from '../../../src/runtime/jit/lower/hash-code.js';
import { LruCode } from '../../../src/runtime/jit/lower/lru-code.js';
import { QuickRingCode } from '../../../src/runtime/jit/lower/quick-ring-code.js';
import { RingCode } from '../../../src/runtime/jit/lower/ring-code.js';
import { Window } from '../../../src/runtime/jit/lower/window.js';
import { Wasm } from '../../../src/runtime/jit/wasm/opcodes.js';
import type { Change, Place, Sabotage } from './sabotage.js';

const rule = (name: keyof typeof Op): Place => ({ rule: Op[name] });
const method = (type: { prototype: object }, name: string): Place => ({ method: [type.prototype, name] });
const flow: Place = { outsideRules: true };
const swap = (from: keyof typeof Wasm, to: keyof typeof Wasm): Change => ({ swap: [Wasm[from], Wasm[to]] });
const constant = (from: number, to: number): Change => ({ constant: [from, to] });

const rows: readonly (readonly [name: string, place: Place, change: Change])[] = [
  ['a sum is a difference', rule('add64'), swap('i64Add', 'i64Sub')],
  ['a difference of words is a sum', rule('sub32'), swap('i32Sub', 'i32Add')],
  ['a product is a sum', rule('mul64'), swap('i64Mul', 'i64Add')],
  ['a quotient has a sign', rule('div64'), swap('i64DivU', 'i64DivS')],
  ['a remainder of words has a sign', rule('mod32'), swap('i32RemU', 'i32RemS')],
  ['a signed quotient has none', rule('sdiv32'), swap('i32DivS', 'i32DivU')],
  ['a signed remainder has none', rule('smod64'), swap('i64RemS', 'i64RemU')],
  ['a quotient by zero is 1', rule('div64'), constant(0, 1)],
  ['a negation is the identity', rule('neg64'), swap('i64Sub', 'i64Add')],
  ['a logical shift keeps the sign', rule('rsh64'), swap('i64ShrU', 'i64ShrS')],
  ['an arithmetic shift loses the sign', rule('arsh32'), swap('i32ShrS', 'i32ShrU')],
  ['a shift goes the other way', rule('lsh32'), swap('i32Shl', 'i32ShrU')],
  ['bytes are extended as half-words', rule('movsx64_s8'), swap('i64Extend8S', 'i64Extend16S')],
  ['half-words are extended as bytes', rule('movsx32_s16'), swap('i32Extend16S', 'i32Extend8S')],
  ['half-words are swapped by a nibble', rule('swap16'), constant(8, 4)],
  ['words are swapped within half-words', rule('swap32'), constant(24, 8)],
  ['long words are not swapped in the middle', rule('swap64'), constant(32, 0)],
  ['truncation leaves a byte', rule('truncate16'), constant(0xffff, 0xff)],
  ['words are extended with their sign', method(Emitter, 'setLo'), swap('i64ExtendI32U', 'i64ExtendI32S')],
  ['rotations go nowhere', rule('or64'), swap('i64Rotl', 'i64Shl')],
  ['rotations of words go nowhere', rule('or32'), swap('i32Rotl', 'i32ShrU')],

  ['greater includes equal', rule('jgt64'), swap('i64GtU', 'i64GeU')],
  ['less or equal excludes equal', rule('jle32'), swap('i32LeU', 'i32LtU')],
  ['a signed comparison has no sign', rule('jsgt64'), swap('i64GtS', 'i64GtU')],
  ['an unsigned comparison has a sign', rule('jlt32'), swap('i32LtU', 'i32LtS')],
  ['equal is unequal', rule('jeq64'), swap('i64Eq', 'i64Ne')],
  ['any bit is enough', rule('jset64'), swap('i64And', 'i64Or')],
  ['may_goto leaves at once', rule('may_goto'), swap('i64LeS', 'i64GtS')],
  ['loops go round once', flow, { once: true }],
  ['branches part the wrong way', flow, { negate: 'if' }],
  ['jumps are taken where they are not', flow, { negate: 'brIf' }],
  ['fuel is gone at the first turn', flow, swap('i64LtS', 'i64GeS')],
  ['fuel grows', flow, swap('i64Sub', 'i64Add')],

  ['bytes are loaded with their sign', rule('load8'), swap('i64Load8U', 'i64Load8S')],
  ['half-words are loaded with their sign', rule('load16'), swap('i64Load16U', 'i64Load16S')],
  ['signed words are loaded without', rule('loadsx32'), swap('i64Load32S', 'i64Load32U')],
  ['long words are loaded in part', rule('load64'), swap('i64Load', 'i64Load32U')],
  ['bytes are stored as half-words', rule('store8'), swap('i64Store8', 'i64Store16')],
  ['words are stored as long words', rule('store32'), swap('i64Store32', 'i64Store')],
  ['long words are stored in part', rule('store64'), swap('i64Store', 'i64Store32')],
  ['packet pointers lose their high word', rule('loadPacketPointer'), swap('i64Or', 'i64And')],
  ['offsets become no pointers', method(Emitter, 'toPointer'), swap('i64Or', 'i64And')],
  ['the frame begins in its middle', method(Emitter, 'begin'), constant(512, 256)],
  ['nothing is outside', method(Window, 'isOutside'), swap('i64GtU', 'i64LtS')],

  ['atomic sums are differences', rule('atomic_add_u64'), swap('i64Add', 'i64Sub')],
  ['what is fetched is half of it', rule('atomic_fetch_xor_u64'), swap('i64Load', 'i64Load32U')],
  ['an exchange stores half', rule('xchg_u64'), swap('i64Store', 'i64Store32')],
  ['an exchange is made where it differs', rule('cmpxchg_u32'), swap('i64Eq', 'i64Ne')],
  ['all of r0 is compared with a word', rule('cmpxchg_u32'), swap('i64And', 'i64Or')],
  ['an acquiring load is displaced', rule('acquire32'), { displace: [Wasm.i64Load32U, 4] }],
  ['misaligned atomics are let through', rule('atomic_fetch_add_u64'), constant(7, 0)],

  ['results of helpers lose their sign', rule('callHelper'), swap('i64ExtendI32S', 'i64ExtendI32U')],
  ['calls are refused for lack of stack', rule('callSubprog'), swap('i32LtU', 'i32GeU')],
  ['a tail call returns r1', rule('tailCall'), { displace: [Wasm.i64Load, 8] }],
  ['packet loads subtract the register', rule('ld_ind_u8'), swap('i32Add', 'i32Sub')],
  ['packet loads take one byte of two', rule('ld_abs_u16'), constant(2, 1)],
  ['callbacks get half of their pointers', flow, swap('i64Or', 'i64And')],

  ['an index may be the number of entries', rule('callHelper'), swap('i32LtU', 'i32LeU')],
  ['an index is added to the size of a value', rule('callHelper'), swap('i32Mul', 'i32Add')],
  ['keys that differ are equal', rule('callHelper'), swap('i64Eq', 'i64Ne')],
  ['elements that were found are not noted as used', rule('callHelper'), constant(1, 0)],
  ['new elements have no bucket', method(HashCode, 'linkElement'), swap('i32And', 'i32Or')],
  ['deleting an element cuts its bucket off', method(HashCode, 'unlinkElement'), { displace: [Wasm.i32Load, 4] }],
  ['the wrong element is free', method(LruCode, 'takeLocal'), { displace: [Wasm.i32Load, 4] }],

  ['a record that just fits is refused', method(RingCode, 'reserve'), constant(15, 23)],
  ['a ring that is full has room', method(RingCode, 'reserve'), swap('i64GeU', 'i64LtU')],
  ['records begin on another page', method(RingCode, 'reserve'), constant(12, 11)],
  ['most records begin on another page', method(QuickRingCode, 'reserve'), constant(12, 11)],
  ['discarded records are submitted', method(QuickRingCode, 'commit'), swap('i32Or', 'i32And')],
  ['committed records stay busy', method(RingCode, 'commit'), constant(0x7fffffff, -1)],
  ['nothing is available', method(RingCode, 'query'), swap('i64Sub', 'i64And')],
];

/** Ways to break the compiler, each of which must be found. */
export const sabotages: readonly Sabotage[] = rows.map(([name, place, change]) => ({ name, place, change }));
