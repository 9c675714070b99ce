import { toHex } from '../../base/index.js';
import { disassemble, encodeInsns, type Insn, INSN_SIZE } from '../../runtime/index.js';

export interface ListingOptions {
  /** A line of the instruction's bytes below each instruction. */
  readonly opcodes: boolean;
  /** Source line to print above the instruction at a slot. */
  readonly source?: ReadonlyMap<number, string>;
  /** Function that begins at a slot. */
  readonly functions?: ReadonlyMap<number, string>;
  /** What a wide load at a slot refers to. */
  readonly maps?: ReadonlyMap<number, string>;
}

/** Instructions as `bpftool prog dump xlated` lists them. */
export function formatInsns(insns: readonly Insn[], options: ListingOptions): string[] {
  const bytes = encodeInsns(insns);
  return disassemble(insns).flatMap(({ index: slot, text }, i, all) => {
    const lines: string[] = [];
    const next = all[i + 1]?.index ?? insns.length;
    const name = options.functions?.get(slot);
    if (name !== undefined) lines.push(`${name}:`);
    const source = options.source?.get(slot);
    if (source !== undefined) lines.push(`; ${source}`);
    const map = options.maps?.get(slot);
    lines.push(`${String(slot).padStart(4)}: ${text}${map === undefined ? '' : `  ; map ${map}`}`);
    if (options.opcodes) {
      const own = bytes.subarray(slot * INSN_SIZE, next * INSN_SIZE);
      lines.push(`       ${toHex(own, ' ')}`);
    }
    return lines;
  });
}
