import type { RelocateInsn } from '../arch.js';
import { decodeInsn } from './decode.js';
import { X86Insn } from './insn.js';
import type { X86Mode } from './mode.js';

const decoded = new X86Insn();
/** ModRM.reg of FF: call and jmp through a register or memory. */
const JMP = 4;
const RSP = 4;

/**
 * How a user instruction that is simulated runs out of line after all, when the stack or the pointer it needs is absent: the
 * CPU takes the fault itself and the kernel mends it. A call becomes a push of its real return address and a jump. Null
 * where there is no such form (32-bit calls, calls through memory addressed by rsp).
 */
export function userRelocation(mode: X86Mode, bytes: Uint8Array, address: bigint): RelocateInsn | null {
  if (decodeInsn(bytes, 0, decoded, mode.bits) === null) return null;
  const original = bytes.slice(0, decoded.length);
  const next = address + BigInt(decoded.length);
  switch (decoded.class) {
    case 'call-rel': {
      if (mode.bits !== 64) return null;
      const push = pushed(next);
      const target = next + BigInt(decoded.imm);
      return (slot) => Uint8Array.from([...push, ...jumpTo(target, slot + BigInt(push.length))]);
    }
    case 'call-indirect':
      return mode.bits === 64 ? callThrough(original, address, next) : null;
    case 'jmp-rel':
    case 'jcc':
    case 'loop':
      return null;
    default:
      return moved(original, address, 0);
  }
}

function callThrough(original: Uint8Array, address: bigint, next: bigint): RelocateInsn | null {
  const usesStack = decoded.memory ? decoded.base === RSP : decoded.rm === RSP;
  if (usesStack) return null;
  const push = pushed(next);
  const jump = original.slice();
  jump[decoded.modrmOffset] = (jump[decoded.modrmOffset] & ~0x38) | (JMP << 3);
  const relocate = moved(jump, address, push.length);
  return (slot) => {
    const rest = relocate(slot);
    return rest === null ? null : Uint8Array.from([...push, ...rest]);
  };
}

/** The instruction `before` bytes into its slot, its displacement from the pc mended. */
function moved(original: Uint8Array, address: bigint, before: number): RelocateInsn {
  if (!decoded.ripRelative) return () => original;
  const { disp, dispOffset } = decoded;
  return (slot) => {
    const displacement = BigInt(disp) + address - slot - BigInt(before);
    if (BigInt.asIntN(32, displacement) !== displacement) return null;
    const bytes = original.slice();
    new DataView(bytes.buffer).setInt32(dispOffset, Number(displacement), true);
    return bytes;
  };
}

/** push imm32 extends the sign, so the high half is written behind it. */
function pushed(value: bigint): number[] {
  return [0x68, ...little(value, 4), 0xc7, 0x44, 0x24, 0x04, ...little(value >> 32n, 4)];
}

/** A jump from `from`, or, out of its reach, a return to a pushed address: code of a slot cannot be read as data. */
function jumpTo(target: bigint, from: bigint): number[] {
  const distance = target - from - 5n;
  if (BigInt.asIntN(32, distance) === distance) return [0xe9, ...little(distance, 4)];
  return [...pushed(target), 0xc3];
}

function little(value: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
