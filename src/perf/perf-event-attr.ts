import { BpfError } from '../base/index.js';
import { PERF_EVENT_FLAGS, type PerfEventFlag } from './perf-event-flags.js';

/** PERF_ATTR_SIZE_VER0: the oldest `struct perf_event_attr`, and what size 0 stands for. */
export const PERF_ATTR_SIZE_VER0 = 64;
/** Bytes of the newest `struct perf_event_attr` known here (PERF_ATTR_SIZE_VER8, with config3). */
export const PERF_ATTR_SIZE = 136;

/** The sizes `struct perf_event_attr` has had, VER0 first. */
export const PERF_ATTR_SIZES: readonly number[] = [64, 72, 80, 96, 104, 112, 120, 128, 136];

const PAGE_SIZE = 4096;
const FLAGS_OFFSET = 40;
/** u64 fields of flags whose used bits fit a number, with the first bit that has no meaning (PERF_*_MAX). */
const BIT_FIELDS = { sample_type: 1n << 25n, read_format: 1n << 5n } as const;
const RESERVED_2_OFFSET = 110;
const AUX_ACTION_OFFSET = 116;

/**
 * `struct perf_event_attr` (include/uapi/linux/perf_event.h). `samplePeriod` is the sampling frequency
 * where the flag `freq` is set; `wakeup` counts events, or bytes with the flag `watermark`.
 */
export interface PerfEventAttr {
  readonly type: number;
  readonly config: bigint;
  readonly samplePeriod: bigint;
  /** PERF_SAMPLE_* bits. */
  readonly sampleType: number;
  /** PERF_FORMAT_* bits. */
  readonly readFormat: number;
  readonly flags: ReadonlySet<PerfEventFlag>;
  /** 0 .. 3: how much skid of the instruction pointer is tolerated. */
  readonly preciseIp: number;
  readonly wakeup: number;
  readonly bpType: number;
  readonly config1: bigint;
  readonly config2: bigint;
  readonly branchSampleType: bigint;
  readonly sampleRegsUser: bigint;
  readonly sampleStackUser: number;
  readonly clockid: number;
  readonly sampleRegsIntr: bigint;
  readonly auxWatermark: number;
  readonly sampleMaxStack: number;
  readonly auxSampleSize: number;
  readonly auxAction: number;
  readonly sigData: bigint;
  readonly config3: bigint;
}

type NumericField = Exclude<keyof PerfEventAttr, 'flags' | 'preciseIp'>;
type FieldKind = 'u16' | 'u32' | 's32' | 'u64' | keyof typeof BIT_FIELDS;

/** Every numeric field with its place. */
const FIELDS: readonly (readonly [NumericField, number, FieldKind])[] = [
  ['type', 0, 'u32'],
  ['config', 8, 'u64'],
  ['samplePeriod', 16, 'u64'],
  ['sampleType', 24, 'sample_type'],
  ['readFormat', 32, 'read_format'],
  ['wakeup', 48, 'u32'],
  ['bpType', 52, 'u32'],
  ['config1', 56, 'u64'],
  ['config2', 64, 'u64'],
  ['branchSampleType', 72, 'u64'],
  ['sampleRegsUser', 80, 'u64'],
  ['sampleStackUser', 88, 'u32'],
  ['clockid', 92, 's32'],
  ['sampleRegsIntr', 96, 'u64'],
  ['auxWatermark', 104, 'u32'],
  ['sampleMaxStack', 108, 'u16'],
  ['auxSampleSize', 112, 'u32'],
  ['auxAction', 116, 'u32'],
  ['sigData', 120, 'u64'],
  ['config3', 128, 'u64'],
];

const ZERO: PerfEventAttr = {
  type: 0,
  config: 0n,
  samplePeriod: 0n,
  sampleType: 0,
  readFormat: 0,
  flags: new Set(),
  preciseIp: 0,
  wakeup: 0,
  bpType: 0,
  config1: 0n,
  config2: 0n,
  branchSampleType: 0n,
  sampleRegsUser: 0n,
  sampleStackUser: 0,
  clockid: 0,
  sampleRegsIntr: 0n,
  auxWatermark: 0,
  sampleMaxStack: 0,
  auxSampleSize: 0,
  auxAction: 0,
  sigData: 0n,
  config3: 0n,
};

/** What a caller of `perfEventAttr` gives: fields by name, flags in any iterable. */
export type PerfEventAttrInit = Partial<Omit<PerfEventAttr, 'flags'>> & { readonly flags?: Iterable<PerfEventFlag> };

/** An attribute with the given fields, all others zero. */
export function perfEventAttr(fields: PerfEventAttrInit): PerfEventAttr {
  return { ...ZERO, ...fields, flags: new Set(fields.flags ?? []) };
}

/**
 * Reads a `struct perf_event_attr` of any of its sizes as perf_event_open(2) does: `size` 0 is VER0, a
 * size below VER0 or above a page is E2BIG, as is a tail beyond the known fields that is not zero;
 * reserved bits are EINVAL; fewer bytes than `size` says are EFAULT.
 */
export function parsePerfEventAttr(bytes: Uint8Array, littleEndian = true): PerfEventAttr {
  const known = copyKnownPart(bytes, littleEndian);
  const view = new DataView(known.buffer);
  const fields: Record<string, unknown> = {};
  for (const [name, offset, kind] of FIELDS) fields[name] = readField(view, offset, kind, littleEndian);
  const word = view.getBigUint64(FLAGS_OFFSET, littleEndian);
  checkReserved(view, word, littleEndian);
  return { ...ZERO, ...fields, ...flagsOf(word) };
}

/** The attribute as `size` bytes; fields that this size does not have must be zero. */
export function encodePerfEventAttr(
  attr: PerfEventAttr,
  size: number = PERF_ATTR_SIZE,
  littleEndian = true,
): Uint8Array {
  if (!PERF_ATTR_SIZES.includes(size)) throw new RangeError(`struct perf_event_attr never had ${size} bytes`);
  const bytes = new Uint8Array(PERF_ATTR_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [name, offset, kind] of FIELDS) writeField(view, offset, kind, attr[name], littleEndian);
  view.setUint32(4, size, littleEndian);
  view.setBigUint64(FLAGS_OFFSET, flagWord(attr), littleEndian);
  if (bytes.subarray(size).some((byte) => byte !== 0)) {
    throw new RangeError(`perf_event_attr of ${size} bytes cannot hold all fields that are set`);
  }
  return bytes.slice(0, size);
}

function copyKnownPart(bytes: Uint8Array, littleEndian: boolean): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength < 8) throw truncated(bytes.byteLength, 8);
  const given = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, littleEndian);
  const size = given === 0 ? PERF_ATTR_SIZE_VER0 : given;
  if (size < PERF_ATTR_SIZE_VER0 || size > PAGE_SIZE) throw tooBig(`perf_event_attr.size is outside 64 .. 4096`, size);
  if (bytes.byteLength < size) throw truncated(bytes.byteLength, size);
  const tail = bytes.subarray(Math.min(size, PERF_ATTR_SIZE), size);
  if (tail.some((byte) => byte !== 0)) throw tooBig('perf_event_attr sets fields beyond the known ones', size);
  const known = new Uint8Array(PERF_ATTR_SIZE);
  known.set(bytes.subarray(0, Math.min(size, PERF_ATTR_SIZE)));
  return known;
}

function truncated(have: number, need: number): BpfError {
  return new BpfError('EFAULT', `perf_event_attr needs ${need} bytes, got ${have}`, { section: 'perf_event_attr' });
}

function tooBig(what: string, size: number): BpfError {
  return new BpfError('E2BIG', what, {
    section: 'perf_event_attr',
    offset: 4,
    value: size,
    remedy: `the newest known size is ${PERF_ATTR_SIZE}`,
  });
}

function readField(view: DataView, offset: number, kind: FieldKind, littleEndian: boolean): number | bigint {
  switch (kind) {
    case 'u16':
      return view.getUint16(offset, littleEndian);
    case 'u32':
      return view.getUint32(offset, littleEndian);
    case 's32':
      return view.getInt32(offset, littleEndian);
    case 'u64':
      return view.getBigUint64(offset, littleEndian);
    default: {
      const bits = view.getBigUint64(offset, littleEndian);
      if (bits >= BIT_FIELDS[kind]) throw reserved(kind, offset, bits);
      return Number(bits);
    }
  }
}

function writeField(
  view: DataView,
  offset: number,
  kind: FieldKind,
  value: number | bigint,
  littleEndian: boolean,
): void {
  if (kind === 'u16') view.setUint16(offset, Number(value), littleEndian);
  else if (kind === 'u32' || kind === 's32') view.setUint32(offset, Number(value), littleEndian);
  else view.setBigUint64(offset, BigInt(value), littleEndian);
}

function checkReserved(view: DataView, flagBits: bigint, littleEndian: boolean): void {
  const known = BigInt(PERF_EVENT_FLAGS.length + 2);
  if (flagBits >> known !== 0n) throw reserved('flags', FLAGS_OFFSET, flagBits);
  const second = view.getUint16(RESERVED_2_OFFSET, littleEndian);
  if (second !== 0) throw reserved('__reserved_2', RESERVED_2_OFFSET, BigInt(second));
  const aux = view.getUint32(AUX_ACTION_OFFSET, littleEndian);
  if (aux >>> 3 !== 0) throw reserved('aux_action', AUX_ACTION_OFFSET, BigInt(aux));
}

function reserved(field: string, offset: number, value: bigint): BpfError {
  return new BpfError('EINVAL', `perf_event_attr.${field} has unknown bits`, {
    section: 'perf_event_attr',
    offset,
    value: `0x${value.toString(16)}`,
  });
}

/** Bits 15 and 16 are the number precise_ip: flags above it stand two bits higher than their index. */
const PRECISE_IP_SHIFT = 15;

function flagBit(index: number): bigint {
  return 1n << BigInt(index < PRECISE_IP_SHIFT ? index : index + 2);
}

function flagsOf(word: bigint): { flags: ReadonlySet<PerfEventFlag>; preciseIp: number } {
  const flags = new Set(PERF_EVENT_FLAGS.filter((_, index) => (word & flagBit(index)) !== 0n));
  return { flags, preciseIp: Number((word >> BigInt(PRECISE_IP_SHIFT)) & 3n) };
}

function flagWord(attr: PerfEventAttr): bigint {
  let word = BigInt(attr.preciseIp & 3) << BigInt(PRECISE_IP_SHIFT);
  PERF_EVENT_FLAGS.forEach((name, index) => {
    if (attr.flags.has(name)) word |= flagBit(index);
  });
  return word;
}
