import { BpfError } from '../../base/index.js';
import type { Insn } from './insn.js';

/** Bytes of one instruction slot. */
export const INSN_SIZE = 8;

/**
 * Instruction slots from their wire form: code byte, register byte, 16-bit offset, 32-bit immediate
 * (RFC 9669 section 3.1). The register byte has its nibbles swapped in big-endian programs. Nothing is
 * judged here: every 8 bytes are some slot. A length that is no multiple of 8 is an EINVAL `BpfError`.
 */
export function decodeInsns(bytes: Uint8Array, littleEndian = true): Insn[] {
  const whole = bytes.byteLength - (bytes.byteLength % INSN_SIZE);
  if (whole !== bytes.byteLength) {
    throw new BpfError('EINVAL', `${bytes.byteLength} bytes are not a whole number of instructions`, {
      offset: whole,
      value: bytes.byteLength - whole,
      remedy: 'every instruction takes 8 bytes; the input is truncated or starts in the wrong place',
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const insns: Insn[] = [];
  for (let at = 0; at < whole; at += INSN_SIZE) insns.push(decodeSlot(view, at, littleEndian));
  return insns;
}

/** The wire form of instruction slots. Fields are cut to their width: `code` to 8 bits, registers to 4. */
export function encodeInsns(insns: readonly Insn[], littleEndian = true): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(insns.length * INSN_SIZE);
  const view = new DataView(bytes.buffer);
  insns.forEach((insn, index) => encodeSlot(view, index * INSN_SIZE, insn, littleEndian));
  return bytes;
}

function decodeSlot(view: DataView, at: number, littleEndian: boolean): Insn {
  const registers = view.getUint8(at + 1);
  const low = registers & 0xf;
  const high = registers >> 4;
  return {
    code: view.getUint8(at),
    dst: littleEndian ? low : high,
    src: littleEndian ? high : low,
    off: view.getInt16(at + 2, littleEndian),
    imm: view.getInt32(at + 4, littleEndian),
  };
}

function encodeSlot(view: DataView, at: number, insn: Insn, littleEndian: boolean): void {
  const dst = insn.dst & 0xf;
  const src = insn.src & 0xf;
  view.setUint8(at, insn.code);
  view.setUint8(at + 1, littleEndian ? (src << 4) | dst : (dst << 4) | src);
  view.setInt16(at + 2, insn.off, littleEndian);
  view.setInt32(at + 4, insn.imm, littleEndian);
}
