import { decodeModrm, readSigned } from './decode-modrm.js';
import { InsnFlag, oneByteFlags32, oneByteFlags64, twoByteFlags } from './decode-tables.js';
import { classifyInsn } from './insn-class.js';
import { type X86Bits, X86Insn } from './insn.js';

/** Longest instruction a processor accepts. */
export const MAX_INSN_LENGTH = 15;

/**
 * Decodes the instruction at `offset`, for 64-bit mode unless told otherwise. Null where the bytes are none (or run
 * past the end of `bytes`). Lengths follow Intel's processors: in 64-bit mode a 66 prefix does not shorten near branches.
 */
export function decodeInsn(
  bytes: Uint8Array,
  offset: number,
  out: X86Insn = new X86Insn(),
  bits: X86Bits = 64,
): X86Insn | null {
  const end = Math.min(bytes.length, offset + MAX_INSN_LENGTH);
  clear(out, bits);
  let at = decodePrefixes(bytes, offset, end, out);
  if (at >= end) return null;
  let flags = 0;
  if (isVectorPrefix(bytes, at, end, bits)) {
    at = decodeVectorPrefix(bytes, at, end, out);
    if (at === 0 || at >= end) return null;
    out.opcode = bytes[at];
    flags = vectorFlags(out);
  } else {
    at = decodeEscape(bytes, at, end, out);
    if (at >= end) return null;
    out.opcode = bytes[at];
    flags = legacyFlags(out);
  }
  if ((flags & InsnFlag.INVALID) !== 0) return null;
  out.opcodeOffset = at - offset;
  out.opcodeReg = (out.opcode & 7) | ((out.rex & 1) << 3);
  at++;
  out.operandSize = operandSize(out, flags);
  if ((flags & InsnFlag.MODRM) !== 0) {
    at = decodeModrm(bytes, at, offset, end, flags, out);
    if (at === 0) return null;
  }
  at = decodeImmediate(bytes, at, offset, end, flags, out);
  if (at === 0 || at > end) return null;
  out.length = at - offset;
  out.class = classifyInsn(out);
  return out;
}

/** Reads legacy prefixes and REX. The result is the position after them. */
function decodePrefixes(bytes: Uint8Array, offset: number, end: number, out: X86Insn): number {
  for (let at = offset; at < end; at++) {
    const byte = bytes[at];
    switch (byte) {
      case 0x66:
        out.operandPrefix = true;
        break;
      case 0x67:
        out.addressSize = out.bits === 64 ? 4 : 2;
        break;
      case 0xf0:
        out.lock = true;
        break;
      case 0xf2:
      case 0xf3:
        out.repne = byte === 0xf2;
        out.rep = byte === 0xf3;
        break;
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
        if (out.segment < 0x64 || out.bits === 32) out.segment = byte;
        break;
      case 0x64:
      case 0x65:
        out.segment = byte;
        break;
      default:
        if ((byte & 0xf0) !== 0x40 || out.bits === 32) return at;
        out.rex = byte;
        continue;
    }
    // A REX that is not the last prefix is ignored.
    out.rex = 0;
  }
  return end;
}

function clear(out: X86Insn, bits: X86Bits): void {
  out.bits = bits;
  out.encoding = 'none';
  out.map = out.rex = out.segment = out.modrm = out.modrmOffset = out.mod = out.reg = out.rm = 0;
  out.lock = out.rep = out.repne = out.operandPrefix = out.hasModrm = out.memory = false;
  out.addressSize = bits === 64 ? 8 : 4;
  out.hasSib = out.ripRelative = false;
  out.sib = out.scale = out.disp = out.dispOffset = out.dispSize = 0;
  out.base = out.index = -1;
  out.imm = out.immHi = out.immOffset = out.immSize = out.imm2 = 0;
}

function decodeEscape(bytes: Uint8Array, start: number, end: number, out: X86Insn): number {
  if (bytes[start] !== 0x0f || start + 1 >= end) return bytes[start] === 0x0f ? end : start;
  const second = bytes[start + 1];
  out.map = second === 0x38 ? 2 : second === 0x3a ? 3 : 1;
  return out.map === 1 ? start + 1 : start + 2;
}

function legacyFlags(insn: X86Insn): number {
  const { map, opcode } = insn;
  if (map === 0) return insn.bits === 64 ? oneByteFlags64[opcode] : oneByteFlags32[opcode];
  if (map === 2) return InsnFlag.MODRM;
  if (map === 3) return InsnFlag.MODRM | InsnFlag.IMM8;
  // extrq and insertq carry two bytes; without their prefixes the opcode is vmread.
  if (opcode === 0x78 && (insn.operandPrefix || insn.repne)) return InsnFlag.MODRM | InsnFlag.IMM16;
  return twoByteFlags[opcode];
}

/** In 32-bit mode C4, C5 and 62 with a memory operand are les, lds and bound. */
function isVectorPrefix(bytes: Uint8Array, at: number, end: number, bits: X86Bits): boolean {
  const first = bytes[at];
  if (first !== 0xc5 && first !== 0xc4 && first !== 0x62) return isXop(bytes, at, end);
  return bits === 64 || (at + 1 < end && bytes[at + 1] >= 0xc0);
}

/** 8F with a map number of 8 or more is AMD's XOP; below, it is pop. */
function isXop(bytes: Uint8Array, at: number, end: number): boolean {
  return bytes[at] === 0x8f && at + 1 < end && (bytes[at + 1] & 0x1f) >= 8;
}

/** VEX, EVEX and XOP: fills `rex` from the inverted bits, `map` and `encoding`. 0 if truncated or no such map. */
function decodeVectorPrefix(bytes: Uint8Array, start: number, end: number, out: X86Insn): number {
  const first = bytes[start];
  if (start + (first === 0xc5 ? 3 : 4) > end) return 0;
  const p0 = bytes[start + 1];
  const p1 = bytes[start + 2];
  if (first === 0xc5) {
    out.encoding = 'vex';
    out.map = 1;
    out.rex = out.bits === 64 ? (~p0 >>> 5) & 4 : 0;
    out.operandPrefix = (p0 & 3) === 1;
    return start + 2;
  }
  out.encoding = first === 0x62 ? 'evex' : first === 0x8f ? 'xop' : 'vex';
  out.map = p0 & (first === 0x62 ? 7 : 0x1f);
  out.rex = out.bits === 64 ? ((~p0 >>> 5) & 7) | ((p1 >>> 4) & 8) : 0;
  out.operandPrefix = (p1 & 3) === 1;
  return start + (first === 0x62 ? 4 : 3);
}

function vectorFlags(insn: X86Insn): number {
  const { map, opcode, encoding } = insn;
  if (encoding === 'xop') {
    if (map === 8) return InsnFlag.MODRM | InsnFlag.IMM8;
    if (map === 9) return InsnFlag.MODRM;
    return map === 10 ? InsnFlag.MODRM | InsnFlag.IMMZ : InsnFlag.INVALID;
  }
  if (map === 3) return InsnFlag.MODRM | InsnFlag.IMM8;
  if (map === 2 || (encoding === 'evex' && (map === 5 || map === 6))) return InsnFlag.MODRM;
  if (map !== 1) return InsnFlag.INVALID;
  return opcode === 0x77 && encoding === 'vex' ? 0 : InsnFlag.MODRM | (twoByteFlags[opcode] & InsnFlag.IMM8);
}

function operandSize(insn: X86Insn, flags: number): number {
  if ((flags & InsnFlag.BYTE) !== 0) return 1;
  if (insn.bits === 32) return insn.operandPrefix ? 2 : 4;
  if ((flags & InsnFlag.FORCE64) !== 0 || (insn.rex & 8) !== 0) return 8;
  if (insn.operandPrefix) return 2;
  return (flags & InsnFlag.DEFAULT64) !== 0 ? 8 : 4;
}

function decodeImmediate(
  bytes: Uint8Array,
  start: number,
  offset: number,
  end: number,
  flags: number,
  out: X86Insn,
): number {
  const size = immediateSize(flags, out);
  if (size === 0) return start;
  const second = (flags & InsnFlag.ENTER) !== 0 ? 1 : (flags & InsnFlag.FAR) !== 0 ? 2 : 0;
  if (start + size + second > end) return 0;
  out.immOffset = start - offset;
  out.immSize = size;
  out.imm = readSigned(bytes, start, size);
  out.immHi = size === 8 ? readSigned(bytes, start + 4, 4) : out.imm >> 31;
  if (second !== 0) out.imm2 = readSigned(bytes, start + size, second) & 0xffff;
  return start + size + second;
}

function immediateSize(flags: number, insn: X86Insn): number {
  if ((flags & (InsnFlag.IMM8 | InsnFlag.REL8)) !== 0) return 1;
  if ((flags & (InsnFlag.IMM16 | InsnFlag.ENTER)) !== 0) return 2;
  if ((flags & InsnFlag.REL32) !== 0) return insn.bits === 32 ? insn.operandSize : 4;
  if ((flags & InsnFlag.FAR) !== 0) return insn.operandSize;
  if ((flags & InsnFlag.MOFFS) !== 0) return insn.addressSize;
  if ((flags & InsnFlag.IMMV) !== 0) return insn.operandSize;
  if ((flags & InsnFlag.IMMZ) !== 0) return insn.operandSize === 2 ? 2 : 4;
  if ((flags & InsnFlag.GROUP3) !== 0 && (insn.modrm & 0x30) === 0) return Math.min(insn.operandSize, 4);
  return 0;
}
