import { roundUp } from '../../base/index.js';

/**
 * Where things are in a map's bytes. docs/map-layout.md is the prose; compiled programs embed these
 * numbers, so a change here is a change of an interface.
 */

/** Byte offsets of the u32 fields of a map's header, from `BpfMap.address`. */
export const MapHeader = {
  type: 0,
  id: 4,
  keySize: 8,
  valueSize: 12,
  maxEntries: 16,
  flags: 20,
  /** Element 0 (arrays: its value), or the consumer page of a ring. */
  elements: 24,
  /** Bytes from one element to the next. */
  stride: 28,
  /** Bytes from one CPU's value to the next CPU's of the same element; 0 where values are shared. */
  cpuStride: 32,
  /** Offset of the key in an element. */
  elemKey: 36,
  /** Offset of the value in an element. */
  elemValue: 40,
  /** Bucket array: one u32 each, the offset of the first element or 0. */
  buckets: 44,
  /** Number of buckets minus one; for a ring, its size minus one. */
  mask: 48,
  /** Seed of the hash. */
  seed: 52,
  /** `HashKind`. */
  hashKind: 56,
  /** Elements that are linked. */
  count: 60,
  /** First of the elements given back, linked through their hash word; 0 for none. */
  freeList: 64,
  /** First element never used so far; the ones after it are unused too. */
  fresh: 68,
  /** One u32 per CPU: the spare element that the next replacing update on that CPU takes. */
  spares: 72,
  /** State of the LRU lists. */
  lru: 76,
  /** `keySize` bytes in which the system-call view passes keys. */
  scratchKey: 80,
  /** Bytes of the header. */
  size: 96,
} as const;

/** Field offsets in a hash element. The key follows the header at `elemKey`, the value at `elemValue`. */
export const HashElem = {
  /** Offset of the next element in the bucket, 0 at the end. Left as it was when the element is unlinked. */
  next: 0,
  /** Hash of the key; in a free element the link of the free list. */
  hash: 4,
  /** Bytes of the header of plain elements. */
  size: 8,
  /** LRU elements only: neighbours in their LRU list. */
  lruNext: 8,
  lruPrev: 12,
  /** LRU elements only: u8 list type, u8 reference bit, u16 CPU. */
  lruType: 16,
  lruRef: 17,
  lruCpu: 18,
  /** Bytes of the header of LRU elements. */
  lruSize: 24,
} as const;

/** How a hash map turns a key into a hash. */
export const HashKind = {
  /** The kernel's jhash, with the header's seed. */
  jhash: 0,
  /** (key ^ seed) * 0x9e3779b1, folded: 4-byte keys where the order is not promised. */
  mix32: 1,
  /** The same over lo ^ rotl(hi * 0x85ebca6b, 15): 8-byte keys. */
  mix64: 2,
} as const;

/** Values start at multiples of 8, as in the kernel. */
export function roundUp8(size: number): number {
  return roundUp(size, 8);
}

export function roundUpPowerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(value));
}
