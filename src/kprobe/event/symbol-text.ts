import type { SymbolTable } from '../../host/index.js';

/** An address as the kernel's `%pS` shows it: `vfs_read+0x5/0x310`, with ` [module]` behind it, or the bare number. */
export function symbolText(symbols: SymbolTable, address: bigint): string {
  const symbol = symbols.at(address);
  if (symbol === undefined) return `0x${address.toString(16)}`;
  const inside = (address - symbol.address).toString(16);
  const module = symbol.module === undefined ? '' : ` [${symbol.module}]`;
  return `${symbol.name}+0x${inside}/0x${symbol.size.toString(16)}${module}`;
}
