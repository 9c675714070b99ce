import type { BpfMap } from '../../map/bpf-map.js';

/** What is known of a register at one point, for all runs. */
export type Value =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'constant'; readonly lo: number; readonly hi: number }
  /** r10 + off. */
  | { readonly kind: 'frame'; readonly off: number }
  /** Made from r10 by unknown amounts: very likely in the frame. */
  | { readonly kind: 'nearFrame' }
  | { readonly kind: 'context'; readonly off: number }
  /** Loaded from a context field that points into the packet, moved by any amount. */
  | { readonly kind: 'packet' }
  | { readonly kind: 'map'; readonly map: BpfMap }
  /** `off` bytes into a value of the map. */
  | { readonly kind: 'value'; readonly map: BpfMap; readonly off: number }
  | { readonly kind: 'nearValue'; readonly map: BpfMap }
  /** `off` bytes into the ring buffer record that the call at instruction `site` reserved. */
  | {
      readonly kind: 'record';
      readonly ring: BpfMap;
      readonly size: number;
      readonly off: number;
      readonly site: number;
    }
  | { readonly kind: 'recordOrNull'; readonly ring: BpfMap; readonly size: number; readonly site: number }
  /** What the lookup at instruction `site` returned. */
  | { readonly kind: 'valueOrNull'; readonly map: BpfMap; readonly site: number };

export const UNKNOWN: Value = { kind: 'unknown' };

/** What is known where two paths meet. */
export function join(a: Value, b: Value): Value {
  if (a === b || same(a, b)) return a;
  if (isNearFrame(a) && isNearFrame(b)) return { kind: 'nearFrame' };
  if (isNearValue(a) && isNearValue(b) && a.map === b.map) return { kind: 'nearValue', map: a.map };
  return UNKNOWN;
}

export function same(a: Value, b: Value): boolean {
  switch (a.kind) {
    case 'constant':
      return b.kind === 'constant' && a.lo === b.lo && a.hi === b.hi;
    case 'frame':
    case 'context':
      return b.kind === a.kind && a.off === b.off;
    case 'value':
      return b.kind === 'value' && a.map === b.map && a.off === b.off;
    case 'map':
    case 'nearValue':
      return b.kind === a.kind && a.map === b.map;
    case 'record':
      return b.kind === 'record' && a.site === b.site && a.off === b.off;
    case 'recordOrNull':
      return b.kind === 'recordOrNull' && a.site === b.site;
    case 'valueOrNull':
      return b.kind === 'valueOrNull' && a.site === b.site;
    default:
      return a.kind === b.kind;
  }
}

/** `value + by`, or with `by` unknown. */
export function shifted(value: Value, by: number | undefined): Value {
  switch (value.kind) {
    case 'frame':
    case 'context':
    case 'value':
    case 'record':
      if (by !== undefined) return { ...value, off: value.off + by };
      if (value.kind === 'frame') return { kind: 'nearFrame' };
      return value.kind === 'value' ? { kind: 'nearValue', map: value.map } : UNKNOWN;
    case 'nearFrame':
    case 'nearValue':
    case 'packet':
      return value;
    default:
      return UNKNOWN;
  }
}

function isNearFrame(value: Value): boolean {
  return value.kind === 'frame' || value.kind === 'nearFrame';
}

function isNearValue(value: Value): value is Extract<Value, { kind: 'value' | 'nearValue' }> {
  return value.kind === 'value' || value.kind === 'nearValue';
}
