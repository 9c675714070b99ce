import { InsnFlag } from './decode-tables.js';
import type { X86Insn } from './insn.js';

/**
 * Reads ModRM and what belongs to it, from `start` on, in an instruction at `offset`. The result is the position
 * after them, 0 if `end` comes first.
 */
export function decodeModrm(
  bytes: Uint8Array,
  start: number,
  offset: number,
  end: number,
  flags: number,
  out: X86Insn,
): number {
  if (start >= end) return 0;
  const modrm = bytes[start];
  const { rex } = out;
  out.hasModrm = true;
  out.modrm = modrm;
  out.modrmOffset = start - offset;
  out.mod = (flags & InsnFlag.REGISTERS) !== 0 ? 3 : modrm >> 6;
  out.reg = ((modrm >> 3) & 7) | ((rex & 4) << 1);
  out.rm = (modrm & 7) | ((rex & 1) << 3);
  if (out.bits === 64 && out.map === 0 && out.encoding === 'none' && out.opcode === 0xff) widenGroup5(modrm, out);
  if (out.mod === 3) return start + 1;
  out.memory = true;
  return decodeMemory(bytes, start + 1, offset, end, out);
}

/** Near indirect branches and push have 64-bit operands without being asked. */
function widenGroup5(modrm: number, out: X86Insn): void {
  const reg = (modrm >> 3) & 7;
  if (reg === 2 || reg === 4) out.operandSize = 8;
  if (reg === 6 && out.operandSize === 4) out.operandSize = 8;
}

function decodeMemory(bytes: Uint8Array, start: number, offset: number, end: number, out: X86Insn): number {
  if (out.addressSize === 2) return decodeMemory16(bytes, start, offset, end, out);
  let at = start;
  let noBase = false;
  out.base = out.rm;
  if ((out.modrm & 7) === 4) {
    if (at >= end) return 0;
    const sib = bytes[at++];
    out.hasSib = true;
    out.sib = sib;
    out.scale = sib >> 6;
    out.index = ((sib >> 3) & 7) | ((out.rex & 2) << 2);
    if (out.index === 4) out.index = -1;
    out.base = (sib & 7) | ((out.rex & 1) << 3);
    noBase = out.mod === 0 && (sib & 7) === 5;
  } else if (out.mod === 0 && (out.modrm & 7) === 5) {
    noBase = true;
    out.ripRelative = out.bits === 64;
  }
  if (noBase) out.base = -1;
  out.dispSize = out.mod === 1 ? 1 : out.mod === 2 || noBase ? 4 : 0;
  return decodeDisplacement(bytes, at, offset, end, out);
}

/** Bases and indexes of 16-bit addresses: bx 3, bp 5, si 6, di 7. */
const BASES_16 = [3, 3, 5, 5, 6, 7, 5, 3];
const INDEXES_16 = [6, 7, 6, 7, -1, -1, -1, -1];

function decodeMemory16(bytes: Uint8Array, at: number, offset: number, end: number, out: X86Insn): number {
  const rm = out.modrm & 7;
  const noBase = out.mod === 0 && rm === 6;
  out.base = noBase ? -1 : BASES_16[rm];
  out.index = INDEXES_16[rm];
  out.dispSize = noBase ? 2 : out.mod;
  return decodeDisplacement(bytes, at, offset, end, out);
}

function decodeDisplacement(bytes: Uint8Array, at: number, offset: number, end: number, out: X86Insn): number {
  if (out.dispSize === 0) return at;
  if (at + out.dispSize > end) return 0;
  out.dispOffset = at - offset;
  out.disp = readSigned(bytes, at, out.dispSize);
  return at + out.dispSize;
}

/** 1, 2 or 4 bytes as a signed number; of 8 bytes the low four. */
export function readSigned(bytes: Uint8Array, at: number, size: number): number {
  const b0 = bytes[at];
  if (size === 1) return (b0 << 24) >> 24;
  const low = b0 | (bytes[at + 1] << 8);
  if (size === 2) return (low << 16) >> 16;
  return low | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
