import { hi32, lo32 } from '../../../base/index.js';
import type { HostMemory, SymbolTable } from '../../index.js';

/** Addresses from `from` up to `to`, which is behind the last. */
export interface KernelRange {
  readonly from: bigint;
  readonly to: bigint;
}

const CHUNK = 1 << 16;

/** What lies between two symbols; null where the kernel does not name both, or nothing does. */
export function rangeBetween(symbols: SymbolTable, first: string, last: string): KernelRange | null {
  const from = symbols.lookup(first)?.address;
  const to = symbols.lookup(last)?.address;
  return from === undefined || to === undefined || to <= from ? null : { from, to };
}

/** Entries of a table, in bytes from the start of a copy. */
export interface TableRun {
  readonly start: number;
  readonly end: number;
  /** Of an entry. */
  readonly size: number;
}

/** The instructions of entries, each of which begins with the distance to its own; `origin` is where the copy is from. */
export function instructionsOf(view: DataView, { start, end, size }: TableRun, origin: bigint): bigint[] {
  const found: bigint[] = [];
  for (let at = start; at + size <= end; at += size) found.push(origin + BigInt(at + view.getInt32(at, true)));
  return found;
}

/** The bytes of a range; zeros where nothing is mapped. */
export function copyRange(memory: HostMemory, { from, to }: KernelRange): DataView {
  const bytes = new Uint8Array(Number(to - from));
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const address = from + BigInt(at);
    memory.readKernel(lo32(address), hi32(address), bytes, at, Math.min(CHUNK, bytes.length - at));
  }
  return new DataView(bytes.buffer);
}
