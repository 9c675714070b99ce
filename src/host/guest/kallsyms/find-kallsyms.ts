import { BpfError } from '../../../base/index.js';
import { type KernelSymbol, SymbolTable, withSizes } from '../../index.js';
import { expandNames, findNames } from './compressed-names.js';
import { findAddresses } from './symbol-addresses.js';
import { findTokenTable, type TokenTable } from './token-table.js';

/** The symbols a kernel keeps of itself, read from its own tables. */
export interface FoundKallsyms {
  /** Offset of kallsyms_token_table in the bytes searched. */
  readonly tokensAt: number;
  /** Offset of kallsyms_relative_base. */
  readonly baseAt: number;
  /** What kallsyms_relative_base holds: differs from the link-time value by the KASLR slide in a running kernel. */
  readonly base: bigint;
  /** Names and types in the kernel's order; addresses count from `base`. */
  readonly symbols: readonly Omit<KernelSymbol, 'size'>[];
}

/**
 * Finds kallsyms in a kernel image or in a copy of a running kernel's memory, by structure alone: both layouts (up to 6.3,
 * since 6.4), absolute per-CPU symbols, 32 and 64 bits. ENOENT where there are none.
 */
export function findKallsyms(bytes: Uint8Array, pointerSize: 4 | 8): FoundKallsyms {
  for (let from = 0; ;) {
    const tokens = findTokenTable(bytes, from);
    if (tokens === null) break;
    const found = kallsymsAround(bytes, tokens, pointerSize);
    if (found !== null) return found;
    from = tokens.end - 508;
  }
  throw new BpfError('ENOENT', 'no kallsyms tables in the kernel', {
    value: `${bytes.length} bytes searched`,
    remedy: 'give a dump of /proc/kallsyms, or a kernel with CONFIG_KALLSYMS',
  });
}

function kallsymsAround(bytes: Uint8Array, tokens: TokenTable, pointerSize: 4 | 8): FoundKallsyms | null {
  const names = findNames(bytes, tokens);
  if (names === null) return null;
  const found = findAddresses(bytes, names, tokens, pointerSize);
  if (found === null) return null;
  const symbols = expandNames(bytes, names, tokens).map((name, i) => ({
    name: name.slice(1),
    type: name.slice(0, 1),
    address: found.addresses[i],
  }));
  return { tokensAt: tokens.start, baseAt: found.baseAt, base: found.base, symbols };
}

/** The symbols as a table, each moved by `slide` but for absolute ones (per-CPU offsets, type A). */
export function kallsymsTable({ symbols, base }: FoundKallsyms, slide = 0n): SymbolTable {
  const moved = symbols.map((symbol) =>
    slide === 0n || symbol.address < base ? symbol : { ...symbol, address: BigInt.asUintN(64, symbol.address + slide) },
  );
  return new SymbolTable(withSizes(moved));
}
