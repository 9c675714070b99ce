import { BpfError } from '../base/index.js';
import { type KernelSymbol, SymbolTable } from './symbol-table.js';

const LINE = /^([0-9a-f]{1,16})\s+(\S)\s+(\S+)(?:\s+\[([^\]]+)\])?\s*$/;

/**
 * Symbols from the text of /proc/kallsyms or `nm -n`: `address type name [module]` lines. A symbol's size is the
 * distance to the next address. An unreadable line is EINVAL with its number.
 */
export function parseKallsyms(text: string): SymbolTable {
  const symbols: Omit<KernelSymbol, 'size'>[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const match = LINE.exec(line);
    if (match === null) {
      throw new BpfError('EINVAL', `kallsyms line ${index + 1} is not "address type name"`, {
        value: line.slice(0, 80),
      });
    }
    const [, address, type, name, module] = match as unknown as [string, string, string, string, string | undefined];
    symbols.push({ name, type, address: BigInt(`0x${address}`), ...(module === undefined ? {} : { module }) });
  }
  return new SymbolTable(withSizes(symbols));
}

/** The text of /proc/kallsyms: `address type name` lines, modules in brackets. `parseKallsyms` reads it back. */
export function formatKallsyms(symbols: Iterable<KernelSymbol>): string {
  const lines = [...symbols].map(({ address, type, name, module }) => {
    const where = module === undefined ? '' : `\t[${module}]`;
    return `${address.toString(16).padStart(16, '0')} ${type} ${name}${where}\n`;
  });
  return lines.join('');
}

/** The symbols with the distance to the next address as their sizes; the last has none. */
export function withSizes(symbols: readonly Omit<KernelSymbol, 'size'>[]): KernelSymbol[] {
  const sorted = symbols.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  let end: bigint | undefined;
  let previous: bigint | undefined;
  const fromTheEnd = sorted.toReversed().map((symbol) => {
    if (symbol.address !== previous) end = previous;
    previous = symbol.address;
    return { ...symbol, size: end === undefined ? 0n : end - symbol.address };
  });
  return fromTheEnd.toReversed();
}
