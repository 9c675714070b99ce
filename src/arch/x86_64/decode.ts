import { InsnFlag, oneByteFlags, twoByteFlags } from './decode-tables.js';
import { classifyOneByte, classifyTwoByte, type X86InsnClass } from './insn-class.js';

/** Longest instruction a processor accepts. */
export const MAX_INSN_LENGTH = 15;

/**
 * One decoded instruction. All offsets count from the first byte of the instruction, prefixes included; an
 * offset of a part that is absent is 0. Reused by passing it back as `out`.
 */
export class X86Insn {
  length = 0;
  class: X86InsnClass = 'other';
  /** 0: one-byte opcodes, 1: after 0F, 2: 0F 38, 3: 0F 3A; VEX and EVEX use the same numbers (5 and 6: EVEX only); 8 to 10: XOP. */
  map = 0;
  opcode = 0;
  opcodeOffset = 0;
  /** `none`, `vex`, `evex`, `xop`. */
  encoding: 'none' | 'vex' | 'evex' | 'xop' = 'none';
  /** The REX byte, or 0. */
  rex = 0;
  lock = false;
  /** F3 as the last of the repeat prefixes. */
  rep = false;
  /** F2 as the last of the repeat prefixes. */
  repne = false;
  /** The 66 prefix is there. */
  operandPrefix = false;
  /** Bytes of an address: 8, or 4 with the 67 prefix. */
  addressSize = 8;
  /** The segment prefix that counts (0x64, 0x65; the others are ignored in long mode but reported), or 0. */
  segment = 0;
  /** Bytes of the operands: 1, 2, 4 or 8. */
  operandSize = 4;
  hasModrm = false;
  modrm = 0;
  modrmOffset = 0;
  mod = 0;
  /** ModRM.reg with REX.R. */
  reg = 0;
  /** ModRM.rm with REX.B; the register of a memory operand is in `base`. */
  rm = 0;
  /** True where ModRM names memory. */
  memory = false;
  hasSib = false;
  sib = 0;
  /** Base register of the memory operand, or -1. */
  base = -1;
  /** Index register, or -1. */
  index = -1;
  /** Index shift: 0 to 3. */
  scale = 0;
  ripRelative = false;
  /** Displacement, sign-extended. */
  disp = 0;
  dispOffset = 0;
  dispSize = 0;
  /** Immediate or branch distance, sign-extended; `immHi` is its high word. */
  imm = 0;
  immHi = 0;
  immOffset = 0;
  immSize = 0;
  /** The second immediate of enter and extrq. */
  imm2 = 0;
  /** Register in the low three bits of the opcode, with REX.B: push, pop, xchg, bswap, mov of an immediate. */
  opcodeReg = 0;
}

/**
 * Decodes the 64-bit mode instruction at `offset`. Null where the bytes are none (or run past the end of
 * `bytes`). Lengths follow Intel's processors: a 66 prefix does not shorten near branches.
 */
export function decodeInsn(bytes: Uint8Array, offset: number, out: X86Insn = new X86Insn()): X86Insn | null {
  const end = Math.min(bytes.length, offset + MAX_INSN_LENGTH);
  let at = decodePrefixes(bytes, offset, end, out);
  if (at >= end) return null;
  let flags = 0;
  const first = bytes[at];
  if (first === 0xc5 || first === 0xc4 || first === 0x62 || isXop(bytes, at, end)) {
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
  out.class = classify(out);
  return out;
}

/** Reads legacy prefixes and REX and clears everything else. The result is the position after them. */
function decodePrefixes(bytes: Uint8Array, offset: number, end: number, out: X86Insn): number {
  clear(out);
  for (let at = offset; at < end; at++) {
    const byte = bytes[at];
    switch (byte) {
      case 0x66:
        out.operandPrefix = true;
        break;
      case 0x67:
        out.addressSize = 4;
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
        if (out.segment < 0x64) out.segment = byte;
        break;
      case 0x64:
      case 0x65:
        out.segment = byte;
        break;
      default:
        if ((byte & 0xf0) !== 0x40) return at;
        out.rex = byte;
        continue;
    }
    // A REX that is not the last prefix is ignored.
    out.rex = 0;
  }
  return end;
}

function clear(out: X86Insn): void {
  out.encoding = 'none';
  out.map = out.rex = out.segment = out.modrm = out.modrmOffset = out.mod = out.reg = out.rm = 0;
  out.lock = out.rep = out.repne = out.operandPrefix = out.hasModrm = out.memory = false;
  out.addressSize = 8;
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
  if (map === 0) return oneByteFlags[opcode];
  if (map === 2) return InsnFlag.MODRM;
  if (map === 3) return InsnFlag.MODRM | InsnFlag.IMM8;
  // extrq and insertq carry two bytes; without their prefixes the opcode is vmread.
  if (opcode === 0x78 && (insn.operandPrefix || insn.repne)) return InsnFlag.MODRM | InsnFlag.IMM16;
  return twoByteFlags[opcode];
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
    out.rex = (~p0 >>> 5) & 4;
    out.operandPrefix = (p0 & 3) === 1;
    return start + 2;
  }
  out.encoding = first === 0x62 ? 'evex' : first === 0x8f ? 'xop' : 'vex';
  out.map = p0 & (first === 0x62 ? 7 : 0x1f);
  out.rex = ((~p0 >>> 5) & 7) | ((p1 >>> 4) & 8);
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
  if ((flags & InsnFlag.FORCE64) !== 0 || (insn.rex & 8) !== 0) return 8;
  if (insn.operandPrefix) return 2;
  return (flags & InsnFlag.DEFAULT64) !== 0 ? 8 : 4;
}

function decodeModrm(
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
  if (out.map === 0 && out.encoding === 'none' && out.opcode === 0xff) widenGroup5(modrm, out);
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
    out.ripRelative = true;
  }
  if (noBase) out.base = -1;
  out.dispSize = out.mod === 1 ? 1 : out.mod === 2 || noBase ? 4 : 0;
  if (out.dispSize === 0) return at;
  if (at + out.dispSize > end) return 0;
  out.dispOffset = at - offset;
  out.disp = readSigned(bytes, at, out.dispSize);
  return at + out.dispSize;
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
  const second = (flags & InsnFlag.ENTER) !== 0 ? 1 : 0;
  if (start + size + second > end) return 0;
  out.immOffset = start - offset;
  out.immSize = size;
  out.imm = readSigned(bytes, start, size);
  out.immHi = size === 8 ? readSigned(bytes, start + 4, 4) : out.imm >> 31;
  if (second !== 0) out.imm2 = bytes[start + size];
  return start + size + second;
}

function immediateSize(flags: number, insn: X86Insn): number {
  if ((flags & (InsnFlag.IMM8 | InsnFlag.REL8)) !== 0) return 1;
  if ((flags & (InsnFlag.IMM16 | InsnFlag.ENTER)) !== 0) return 2;
  if ((flags & InsnFlag.REL32) !== 0) return 4;
  if ((flags & InsnFlag.MOFFS) !== 0) return insn.addressSize;
  if ((flags & InsnFlag.IMMV) !== 0) return insn.operandSize;
  if ((flags & InsnFlag.IMMZ) !== 0) return insn.operandSize === 2 ? 2 : 4;
  if ((flags & InsnFlag.GROUP3) !== 0 && (insn.modrm & 0x30) === 0) return Math.min(insn.operandSize, 4);
  return 0;
}

/** 1, 2 or 4 bytes as a signed number; of 8 bytes the low four. */
function readSigned(bytes: Uint8Array, at: number, size: number): number {
  const b0 = bytes[at];
  if (size === 1) return (b0 << 24) >> 24;
  const low = b0 | (bytes[at + 1] << 8);
  if (size === 2) return (low << 16) >> 16;
  return low | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function classify(insn: X86Insn): X86InsnClass {
  if (insn.encoding !== 'none') return 'other';
  if (insn.map === 0) return classifyOneByte(insn.opcode, (insn.modrm >> 3) & 7, insn.rep);
  return insn.map === 1 ? classifyTwoByte(insn.opcode) : 'other';
}
