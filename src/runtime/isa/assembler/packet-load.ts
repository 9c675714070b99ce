import { insn } from '../builders.js';
import type { Insn } from '../insn.js';
import { BPF_ABS, BPF_IND, BPF_LD } from '../opcodes.js';
import type { Cursor } from './cursor.js';
import { parseImmediate32 } from './expression.js';
import { isRegister, parseWide, type MemoryType, type Register } from './operands.js';

/** `[12]`, `[r7]` or `[r7 + 12]` after `r0 = *(u16 *)skb`. */
export function parsePacketLoad(cursor: Cursor, dst: Register, type: MemoryType): Insn {
  if (dst.number !== 0 || !dst.wide) throw cursor.error('packet loads go to r0', undefined, dst.token);
  if (type.signed || type.bits === 64) throw cursor.error('packet loads are u8, u16 or u32', undefined, type.token);
  cursor.expect('[');
  const load = isRegister(cursor) ? parseIndirect(cursor, type) : parseAbsolute(cursor, type);
  cursor.expect(']');
  return load;
}

function parseAbsolute(cursor: Cursor, type: MemoryType): Insn {
  return insn(BPF_LD | BPF_ABS | type.size, 0, 0, 0, parseImmediate32(cursor));
}

function parseIndirect(cursor: Cursor, type: MemoryType): Insn {
  const register = parseWide(cursor);
  const offset = cursor.is('+') || cursor.is('-') ? parseImmediate32(cursor) : 0;
  return insn(BPF_LD | BPF_IND | type.size, 0, register, 0, offset);
}
