import type { ProbePlan, RelocateInsn } from '../arch.js';
import { decodeInsn } from './decode.js';
import { X86Insn } from './insn.js';
import type { X86Mode } from './mode.js';
import { refusalOf } from './refusal.js';
import { simulationOf } from './simulation.js';

const decoded = new X86Insn();

/**
 * What to do with the instruction at `address` whose bytes begin `bytes`. What can be simulated exactly is; the rest
 * runs in a slot, where only a RIP-relative displacement needs mending.
 */
export function planProbe(mode: X86Mode, bytes: Uint8Array, address: bigint): ProbePlan {
  if (decodeInsn(bytes, 0, decoded, mode.bits) === null) {
    return { kind: 'refuse', length: 0, errno: 'EILSEQ', reason: 'the bytes here are no instruction' };
  }
  const { length } = decoded;
  const refusal = refusalOf(decoded);
  if (refusal !== null) return { kind: 'refuse', length, ...refusal };
  const simulate = simulationOf(decoded, address, mode);
  const relocate = relocation(bytes.slice(0, length), address);
  if (simulate === null) return { kind: 'slot', length, relocate };
  return mayFaultForAReason(decoded)
    ? { kind: 'simulate', length, simulate, relocate }
    : { kind: 'simulate', length, simulate };
}

/**
 * Whether the instruction accesses memory that need not be there: the kernel mends such faults (user memory), or the
 * address is a device's. Branches through memory cannot run in a slot, and nobody mends their faults.
 */
function mayFaultForAReason(insn: X86Insn): boolean {
  if (!insn.memory || insn.class === 'nop') return false;
  if (insn.class === 'call-indirect' || insn.class === 'jmp-indirect') return false;
  return insn.map !== 0 || insn.opcode !== 0x8d;
}

function relocation(original: Uint8Array, address: bigint): RelocateInsn {
  if (!decoded.ripRelative) return () => original;
  const { disp, dispOffset } = decoded;
  return (slot) => moveDisplacement(original, dispOffset, BigInt(disp) + address - slot);
}

/** A copy of `original` with its displacement replaced, or null if that does not fit 32 bits. */
function moveDisplacement(original: Uint8Array, offset: number, displacement: bigint): Uint8Array | null {
  if (BigInt.asIntN(32, displacement) !== displacement) return null;
  const moved = original.slice();
  new DataView(moved.buffer).setInt32(offset, Number(displacement), true);
  return moved;
}
