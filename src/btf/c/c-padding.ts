import { roundUp } from '../../base/index.js';
import type { Btf } from '../btf.js';
import type { BtfComposite } from '../types.js';

/** Whether C lays the struct out like this only if it is told to pack it. */
export function isPacked(btf: Btf, type: BtfComposite): boolean {
  let strictest = 1;
  for (const { type: id, bitOffset, bitSize } of type.members) {
    const alignment = btf.alignmentOf(id);
    if (bitSize === 0 && bitOffset % (8 * alignment) !== 0) return true;
    strictest = Math.max(strictest, alignment);
  }
  return type.size % strictest !== 0;
}

/** A hole between members, in bits. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  /** Alignment in bytes of what follows. */
  readonly alignment: number;
  /** The members on both sides are bit-fields. */
  readonly inBitfield: boolean;
}

/**
 * Unnamed bit-fields that make a C compiler leave the gap, such as `long: 64`. None where alignment does so anyway. After libbpf's
 * btf_dump_emit_bit_padding.
 */
export function padding({ from, to, alignment, inBitfield }: Gap, pointerBits: number): string[] {
  const units = [
    { name: 'long', bits: pointerBits },
    { name: 'int', bits: 32 },
    { name: 'short', bits: 16 },
    { name: 'char', bits: 8 },
  ] as const;
  if (from >= to) return [];
  const unit = units.find(({ bits }) => roundUp(from, bits) <= to) ?? units[3];
  const boundary = roundUp(from, unit.bits);
  const fields: string[] = [];
  let at = from;
  if (boundary > at && boundary <= to) {
    const alignsItself = boundary === to && roundUp(at, alignment * 8) === boundary;
    const wouldSlipIn = boundary !== to && to - boundary <= boundary - at;
    if (inBitfield || (boundary === to && !alignsItself) || wouldSlipIn)
      fields.push(`${unit.name}: ${inBitfield ? boundary - at : 0}`);
    at = boundary;
  }
  while (at < to) {
    const bits = Math.min(to - at, unit.bits);
    const fitting = bits === unit.bits ? unit : (units.findLast((each) => each.bits >= bits) ?? unit);
    fields.push(`${fitting.name}: ${bits}`);
    at += bits;
  }
  return fields;
}
