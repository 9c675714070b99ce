import { BtfBuilder } from '../build/btf-builder.js';
import type { Btf } from '../btf.js';
import { type BtfDedupResult, deduplicateBtf } from './deduplicate.js';

/** One BTF made of several, and where the types of each went. */
export interface BtfMergeResult {
  readonly btf: Btf;
  /** For each input the new id of each of its ids. */
  readonly ids: readonly Uint32Array[];
}

/**
 * The types of several BTFs, each once, as a static linker merges those of its objects. `base` makes split BTF that
 * takes from the base what the base has. Variables and sections are never merged: inputs that share a section keep one each.
 */
export function mergeBtf(inputs: readonly Btf[], base?: Btf): BtfMergeResult {
  const [first] = inputs;
  const littleEndian = base?.littleEndian ?? first?.littleEndian ?? true;
  const other = inputs.find((btf) => btf.littleEndian !== littleEndian);
  if (other !== undefined)
    throw new TypeError('BTFs of different byte orders cannot be merged; encode one of them anew');
  const builder = new BtfBuilder(base === undefined ? { littleEndian } : { base });
  const deltas = inputs.map((btf) => builder.append(btf));
  const merged: BtfDedupResult = deduplicateBtf(builder.build());
  const ids = inputs.map((btf, i) =>
    Uint32Array.from(
      { length: btf.typeCount },
      (_, id) => merged.ids[id < btf.firstId ? id : id + (deltas[i] ?? 0)] ?? 0,
    ),
  );
  return { btf: merged.btf, ids };
}
