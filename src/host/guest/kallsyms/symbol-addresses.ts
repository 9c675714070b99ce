import { roundUp } from '../../../base/index.js';
import type { CompressedNames } from './compressed-names.js';
import type { TokenTable } from './token-table.js';

/** Where kallsyms_offsets and kallsyms_relative_base were found, and the addresses they make. */
export interface SymbolAddresses {
  /** Offset of kallsyms_relative_base. */
  readonly baseAt: number;
  /** What it holds: the address of the first symbol that is relative to it; 0 in an image that is yet to be relocated. */
  readonly base: bigint;
  readonly addresses: readonly bigint[];
}

/**
 * Addresses of the symbols, in their order. The tables lie before the number of symbols up to Linux 6.3, and behind the
 * tokens since 6.4. `pointerSize` tells i386 from the rest.
 */
export function findAddresses(
  bytes: Uint8Array,
  names: CompressedNames,
  tokens: TokenTable,
  pointerSize: 4 | 8,
): SymbolAddresses | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = 4 * names.count;
  const before = names.countAt - pointerSize;
  const behind = roundUp(tokens.end, pointerSize);
  const places = [
    { baseAt: before, offsetsAt: before - roundUp(size, pointerSize) },
    { baseAt: roundUp(behind + size, pointerSize), offsetsAt: behind },
  ];
  for (const { baseAt, offsetsAt } of places) {
    if (offsetsAt < 0 || baseAt < 0 || baseAt + pointerSize > bytes.length) continue;
    const offsets = Int32Array.from({ length: names.count }, (_, i) => view.getInt32(offsetsAt + 4 * i, true));
    if (!inOrder(offsets)) continue;
    const base = pointerSize === 8 ? view.getBigUint64(baseAt, true) : BigInt(view.getUint32(baseAt, true));
    return { baseAt, base, addresses: Array.from(offsets, (offset) => addressOf(offset, base, hasAbsolute(offsets))) };
  }
  return null;
}

/**
 * Symbols are sorted by address. With CONFIG_KALLSYMS_ABSOLUTE_PERCPU the first ones are absolute, offsets as they are, and
 * the others negative: -1 minus the distance from the base. Otherwise none is negative.
 */
function inOrder(offsets: Int32Array): boolean {
  for (let i = 1; i < offsets.length; i++) {
    const [before, offset] = [offsets[i - 1], offsets[i]];
    if (before < 0 ? offset > before : offset >= 0 && offset < before) return false;
  }
  return offsets[offsets.length - 1] !== offsets[0];
}

function hasAbsolute(offsets: Int32Array): boolean {
  return offsets[offsets.length - 1] < 0;
}

function addressOf(offset: number, base: bigint, absolute: boolean): bigint {
  if (!absolute) return base + BigInt(offset);
  return offset >= 0 ? BigInt(offset) : base - 1n - BigInt(offset);
}
