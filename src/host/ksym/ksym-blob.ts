import { BpfError, ByteReader } from '../../base/index.js';
import { type KernelSymbol, SymbolTable } from '../symbol-table.js';
import { expandKsymName, type KsymTokens, readKsymTokens } from './ksym-tokens.js';

const SECTION = 'ksym blob';
/** Type letter and length in front of a name's bytes. */
const NAME_HEADER = 3;
const REMEDY = 'the blob is truncated or not one that gen_ksym or writeKsymBlob made';

/** Where the kernel's text lies: `_stext` and `_etext`. Without it the last symbol has no size. */
export interface KsymTextRange {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Symbols from the blob that the ksym crate's gen_ksym puts into kernels: little-endian, addresses in ascending order,
 * names behind an optional token for their first bytes, and the order of names. A symbol ends where the next address
 * begins, the last one where the text ends; symbols outside of the text have no size and so hold no address. Everything in it
 * is checked; what does not fit is EINVAL with its offset.
 */
export function parseKsymBlob(bytes: Uint8Array, text?: KsymTextRange): SymbolTable {
  const reader = new ByteReader(bytes, true, SECTION);
  const layout = readLayout(reader);
  const addresses = Array.from({ length: layout.count }, (_, i) => reader.u64(layout.addresses + 8 * i));
  checkAscending(addresses, layout.addresses);
  const tokens = readKsymTokens(reader, layout.tokensAt);
  const named = addresses.map((address, i) => ({ address, ...readName(reader, layout, tokens, i) }));
  checkNameOrder(reader, layout);
  return new SymbolTable(withSizes(named, text));
}

/** Offsets of the parts. */
interface Layout {
  readonly count: number;
  readonly addresses: number;
  readonly offsets: number;
  readonly order: number;
  readonly names: number;
  readonly namesLength: number;
  readonly tokensAt: number;
}

function readLayout(reader: ByteReader): Layout {
  const count = reader.size64(0, 'the number of symbols');
  const addresses = 8;
  const offsets = addresses + 8 * count;
  const order = offsets + 4 * count;
  const lengthAt = align8(order + 4 * count);
  const namesLength = reader.size64(lengthAt, 'the length of the names');
  const names = lengthAt + 8;
  reader.slice(names, namesLength);
  return { count, addresses, offsets, order, names, namesLength, tokensAt: align8(names + namesLength) };
}

function readName(
  reader: ByteReader,
  layout: Layout,
  tokens: KsymTokens,
  index: number,
): { name: string; type: string } {
  const at = reader.u32(layout.offsets + 4 * index);
  const length = at + NAME_HEADER <= layout.namesLength ? reader.u16(layout.names + at + 1) : 0;
  if (at + NAME_HEADER + length > layout.namesLength) {
    throw new BpfError('EINVAL', `the name of symbol ${index} runs past the names`, {
      section: SECTION,
      offset: layout.offsets + 4 * index,
      value: at,
      remedy: REMEDY,
    });
  }
  const start = layout.names + at;
  const type = reader.u8(start);
  if (type <= 0x20 || type >= 0x7f) {
    throw new BpfError('EINVAL', `the type of symbol ${index} is no letter`, {
      section: SECTION,
      offset: start,
      value: type,
      remedy: REMEDY,
    });
  }
  const name = expandKsymName(reader.slice(start + NAME_HEADER, length), tokens, start + NAME_HEADER);
  return { name, type: String.fromCharCode(type) };
}

function checkAscending(addresses: readonly bigint[], at: number): void {
  const index = addresses.findIndex((address, i) => i > 0 && address < addresses[i - 1]);
  if (index < 0) return;
  throw new BpfError('EINVAL', `the address of symbol ${index} is below that of the one before`, {
    section: SECTION,
    offset: at + 8 * index,
    value: `0x${addresses[index].toString(16)}`,
    remedy: REMEDY,
  });
}

/** The order of names must name each symbol once. It is not searched: a table of all names is made anyway. */
function checkNameOrder(reader: ByteReader, { order, count }: Layout): void {
  const seen = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const index = reader.u32(order + 4 * i);
    if (index < count && seen[index] === 0) {
      seen[index] = 1;
      continue;
    }
    throw new BpfError('EINVAL', 'the order of names is not one of all symbols', {
      section: SECTION,
      offset: order + 4 * i,
      value: index,
      remedy: REMEDY,
    });
  }
}

function withSizes(symbols: readonly Omit<KernelSymbol, 'size'>[], text: KsymTextRange | undefined): KernelSymbol[] {
  let end = text?.end;
  let next: bigint | undefined;
  const fromTheEnd = symbols.toReversed().map((symbol) => {
    if (next !== undefined && symbol.address !== next) end = min(next, text?.end);
    next = symbol.address;
    const outside = text !== undefined && (symbol.address < text.start || symbol.address >= text.end);
    return { ...symbol, size: outside || end === undefined ? 0n : end - symbol.address };
  });
  return fromTheEnd.toReversed();
}

function min(a: bigint, b: bigint | undefined): bigint {
  return b === undefined || a < b ? a : b;
}

export function align8(offset: number): number {
  return (offset + 7) & ~7;
}
