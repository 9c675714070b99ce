import type { BpfMap } from '../../map/bpf-map.js';

export const Kind = {
  /** A number: as a signed 64-bit one it lies from `lo` to `hi`. */
  scalar: 0,
  /** r10 + lo .. r10 + hi. The bounds of all pointers count from the start of what they point into. */
  frame: 1,
  context: 2,
  /** From the packet's first byte on. */
  packet: 3,
  packetEnd: 4,
  /** A map itself. */
  map: 5,
  /** Into a value of the map. */
  value: 6,
  /** What the lookup at `site` returned. */
  valueOrNull: 7,
  /** Into the open record of `extent` bytes that the call at `site` reserved of the ring `map`. */
  record: 8,
  recordOrNull: 9,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/**
 * What is known of a register at one point, for all runs. All values have the same fields, so that V8 sees one
 * shape. Bounds are whole numbers no larger than `FAR` or infinite: then nothing is known on that side.
 */
export interface Value {
  readonly kind: Kind;
  readonly lo: number;
  readonly hi: number;
  readonly map: BpfMap | null;
  /** Number of the call that made the pointer. Packet pointers: of the instruction that last added an unknown. */
  readonly site: number;
  /** Packet pointers: how far from what `site` made. */
  readonly at: number;
  /** Packet pointers: the packet does not end before `extent` bytes from here, or -extent before. Records: their size. */
  readonly extent: number;
}

/** Numbers up to here are exact; the sum of two of them neither wraps around nor is rounded. */
export const FAR = 2 ** 52;
/** Pointers that far from where they started still compare as their distances do. */
const FAR_POINTER = 2 ** 40;
/** `site` of a packet pointer that shares its origin with no other. */
export const NO_SITE = -1;
/** `site` of the packet's start. */
const PACKET_START = -2;

function make(kind: Kind, lo: number, hi: number, map: BpfMap | null, site = NO_SITE, at = 0, extent = 0): Value {
  return { kind, lo, hi, map, site, at, extent };
}

/** Any 64 bits, a pointer perhaps. */
export const UNKNOWN: Value = make(Kind.scalar, -Infinity, Infinity, null);
export const ZERO: Value = make(Kind.scalar, 0, 0, null);
export const PACKET: Value = make(Kind.packet, 0, 0, null, PACKET_START);
export const PACKET_END: Value = make(Kind.packetEnd, 0, 0, null);
/** Somewhere about the packet. */
export const NEAR_PACKET: Value = make(Kind.packet, -Infinity, Infinity, null, NO_SITE, 0, -Infinity);
export const CONTEXT: Value = make(Kind.context, 0, 0, null);
export const FRAME_TOP: Value = make(Kind.frame, 0, 0, null);

/** The bounds are of a result that has not wrapped around. */
export function scalar(lo: number, hi: number): Value {
  const least = lo < -FAR ? -Infinity : Math.min(lo, FAR);
  const most = hi > FAR ? Infinity : Math.max(hi, -FAR);
  return least === -Infinity && most === Infinity ? UNKNOWN : make(Kind.scalar, least, most, null);
}

export function mapPointer(map: BpfMap): Value {
  return make(Kind.map, 0, 0, map);
}

export function valuePointer(map: BpfMap, off: number): Value {
  return make(Kind.value, off, off, map);
}

export function valueOrNull(map: BpfMap, site: number): Value {
  return make(Kind.valueOrNull, 0, 0, map, site);
}

export function recordOrNull(ring: BpfMap, size: number, site: number): Value {
  return make(Kind.recordOrNull, 0, 0, ring, site, 0, size);
}

/** The pointer that `pointer` is if it is not NULL. */
export function notNull({ kind, map, site, extent }: Value): Value {
  if (kind === Kind.valueOrNull && map !== null) return valuePointer(map, 0);
  return make(Kind.record, 0, 0, map, site, 0, extent);
}

/** A packet pointer with at least `extent`. */
export function withExtent(pointer: Value, extent: number): Value {
  if (pointer.extent >= extent) return pointer;
  return make(Kind.packet, pointer.lo, pointer.hi, null, pointer.site, pointer.at, extent);
}

/** A packet pointer whose relation to others is no longer known. */
export function withoutSite(pointer: Value): Value {
  return make(Kind.packet, pointer.lo, pointer.hi, null, NO_SITE, 0, pointer.extent);
}

export function isConstant(value: Value): boolean {
  return value.kind === Kind.scalar && value.lo === value.hi;
}

/** A number whose high word is 0. */
export function isWord({ kind, lo, hi }: Value): boolean {
  return kind === Kind.scalar && lo >= 0 && hi <= 0xffff_ffff;
}

/** Whether `value` points to the first byte of what it points into. */
export function isStart({ lo, hi }: Value): boolean {
  return lo === 0 && hi === 0;
}

/** Pointers that stay what they are wherever they are moved. */
function isMovable(kind: Kind): boolean {
  return (
    kind === Kind.frame || kind === Kind.context || kind === Kind.packet || kind === Kind.value || kind === Kind.record
  );
}

/** `pointer + by`, computed at instruction `index`. */
export function moved(pointer: Value, by: Value, index: number): Value {
  const { kind, map, site, at, extent } = pointer;
  if (!isMovable(kind) || by.kind !== Kind.scalar) return UNKNOWN;
  const lo = pointer.lo + by.lo;
  const hi = pointer.hi + by.hi;
  // Infinite bounds may meet as NaN: nothing is known then, either.
  const isNear = lo >= -FAR_POINTER && hi <= FAR_POINTER;
  const from = isNear ? lo : -Infinity;
  const to = isNear ? hi : Infinity;
  if (kind !== Kind.packet) return make(kind, from, to, map, site, at, extent);
  const rest = isNear ? extent - by.hi : -Infinity;
  if (by.lo === by.hi && isNear) return make(kind, from, to, null, site, at + by.lo, rest);
  return make(kind, from, to, null, index, 0, rest);
}

/** `pointer - by`. */
export function movedBack(pointer: Value, by: Value, index: number): Value {
  return by.kind === Kind.scalar ? moved(pointer, scalar(-by.hi, -by.lo), index) : UNKNOWN;
}

/** What is known where two paths meet. */
export function join(a: Value, b: Value): Value {
  if (a === b) return a;
  const { kind, map } = a;
  if (kind !== b.kind || map !== b.map) return UNKNOWN;
  const lo = Math.min(a.lo, b.lo);
  const hi = Math.max(a.hi, b.hi);
  if (kind === Kind.packet) return joinPackets(a, b, lo, hi);
  if (a.site !== b.site || a.extent !== b.extent) return UNKNOWN;
  if (lo === a.lo && hi === a.hi) return a;
  return kind === Kind.scalar ? scalar(lo, hi) : make(kind, lo, hi, map, a.site, 0, a.extent);
}

function joinPackets(a: Value, b: Value, lo: number, hi: number): Value {
  const extent = Math.min(a.extent, b.extent);
  const related = a.site === b.site && a.at === b.at;
  return make(Kind.packet, lo, hi, null, related ? a.site : NO_SITE, related ? a.at : 0, extent);
}

export function same(a: Value, b: Value): boolean {
  return (
    a === b ||
    (a.kind === b.kind &&
      a.lo === b.lo &&
      a.hi === b.hi &&
      a.map === b.map &&
      a.site === b.site &&
      a.at === b.at &&
      a.extent === b.extent)
  );
}

/**
 * In place of `joined` at the head of a loop that has made `before` into it: bounds that moved go on to the next of
 * the sorted `steps`, so that a loop settles after few rounds of analysis.
 */
export function widened(before: Value, joined: Value, steps: readonly number[]): Value {
  const { kind, map, site, at } = joined;
  if (kind !== before.kind) return joined;
  const lo = joined.lo < before.lo ? (steps.findLast((step) => step <= joined.lo) ?? -Infinity) : joined.lo;
  const hi = joined.hi > before.hi ? (steps.find((step) => step >= joined.hi) ?? Infinity) : joined.hi;
  const shrinks = kind === Kind.packet && joined.extent < before.extent;
  if (lo === joined.lo && hi === joined.hi && !shrinks) return joined;
  if (kind === Kind.scalar) return scalar(lo, hi);
  return make(kind, lo, hi, map, site, at, shrinks ? -Infinity : joined.extent);
}
