import { roundUp } from '../../base/index.js';
import type { BtfMember } from '../types.js';

/** A member before it has its place: sizes in bytes, `bits` 0 for any but a bit-field. */
export interface UnplacedMember {
  readonly name: string;
  readonly type: number;
  readonly size: number;
  readonly align: number;
  readonly bits: number;
}

export interface PlacedMembers {
  readonly members: readonly BtfMember[];
  readonly size: number;
  readonly align: number;
}

/**
 * Places members as C compilers of the System V ABIs do: each at the next multiple of its alignment; a bit-field in what is
 * left of a unit of its type, if it fits there.
 */
export function layOut(members: readonly UnplacedMember[], kind: 'struct' | 'union', packed: boolean): PlacedMembers {
  const placed: BtfMember[] = [];
  let [end, largest, align] = [0, 0, 1];
  for (const { name, type, size, align: natural, bits } of members) {
    const own = packed ? 1 : natural;
    const from = kind === 'union' ? 0 : end;
    const bitOffset = bits > 0 ? bitfieldOffset(from, bits, packed ? 0 : 8 * size) : roundUp(from, 8 * own);
    placed.push({ name, type, bitOffset, bitSize: bits });
    end = bitOffset + (bits > 0 ? bits : 8 * size);
    largest = Math.max(largest, end);
    align = Math.max(align, own);
  }
  return { members: placed, size: roundUp(Math.ceil(largest / 8), align), align };
}

/** `unit` 0: units do not matter. */
function bitfieldOffset(from: number, bits: number, unit: number): number {
  if (unit === 0 || Math.floor(from / unit) === Math.floor((from + bits - 1) / unit)) return from;
  return roundUp(from, unit);
}
