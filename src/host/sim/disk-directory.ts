import { decodeBase64, type EncodedSimImage } from './sim-image.js';

export const BLOCK = 4096;
const SECTORS = 8;
const HEADER = 16;
const ENTRY = 56;
const PATH_MAX = 40;
const MAGIC = 0x7366_6b73;
/** Entries in the first block, behind its header, and in each block after it. */
const FIRST = Math.floor((BLOCK - HEADER) / ENTRY);
const MORE = Math.floor(BLOCK / ENTRY);
/** Most entries: what the kernel reads. */
export const ENTRIES_MAX = 400;
const utf8 = new TextDecoder();

/** A name on the disk at boot. */
export interface DiskEntry {
  readonly path: string;
  /** Type and permissions, as stat gives them. */
  readonly mode: number;
  readonly size: number;
  /** First block of the data, which lies in one piece. */
  readonly block: number;
}

/** What the disk starts out with, in the order of its names: directories come before what is in them. */
export interface DiskDirectory {
  readonly entries: readonly DiskEntry[];
  /** First block that nothing is in. */
  readonly free: number;
}

/** Reads the names from the disk's first block, and from those behind the data that it leads to. */
export function readDirectory({ disk }: EncodedSimImage): DiskDirectory {
  const blockAt = (block: number): Uint8Array =>
    decodeBase64(disk.find(({ sector }) => sector === block * SECTORS)?.bytes ?? '');
  const first = blockAt(0);
  if (first.length < HEADER) return { entries: [], free: 0 };
  const view = new DataView(first.buffer);
  const count = view.getUint32(4, true);
  const more = count > FIRST ? blockAt(view.getUint32(12, true)) : new Uint8Array();
  const entries = Array.from({ length: count }, (_, i) => {
    if (i < FIRST) return readEntry(first, HEADER + i * ENTRY);
    const [block, index] = [Math.floor((i - FIRST) / MORE), (i - FIRST) % MORE];
    return readEntry(more, block * BLOCK + index * ENTRY);
  });
  return { entries, free: view.getUint32(8, true) };
}

function readEntry(bytes: Uint8Array, at: number): DiskEntry {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, ENTRY);
  const name = bytes.subarray(at, at + PATH_MAX);
  const end = name.indexOf(0);
  const path = utf8.decode(name.subarray(0, end < 0 ? PATH_MAX : end));
  return { path, mode: view.getUint32(40, true), size: view.getUint32(44, true), block: view.getUint32(48, true) };
}

/** The blocks that name these entries: the first one of the disk, and those that lie from `free` on. */
export function writeDirectory({ entries, free }: DiskDirectory): { sector: number; bytes: Uint8Array }[] {
  const blocks = Math.max(0, Math.ceil((entries.length - FIRST) / MORE));
  const first = new Uint8Array(BLOCK);
  const more = new Uint8Array(blocks * BLOCK);
  const view = new DataView(first.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, entries.length, true);
  view.setUint32(8, free + blocks, true);
  view.setUint32(12, free, true);
  entries.forEach((entry, i) => {
    const [block, index] = [Math.floor((i - FIRST) / MORE), (i - FIRST) % MORE];
    if (i < FIRST) writeEntry(first, HEADER + i * ENTRY, entry);
    else writeEntry(more, block * BLOCK + index * ENTRY, entry);
  });
  const chunks = [{ sector: 0, bytes: first }];
  return blocks === 0 ? chunks : [...chunks, { sector: free * SECTORS, bytes: more }];
}

function writeEntry(bytes: Uint8Array, at: number, { path, mode, size, block }: DiskEntry): void {
  const view = new DataView(bytes.buffer, at, ENTRY);
  bytes.set(new TextEncoder().encode(path).subarray(0, PATH_MAX - 1), at);
  view.setUint32(40, mode, true);
  view.setUint32(44, size, true);
  view.setUint32(48, block, true);
}
