import { BpfMapType } from '../../../src/base/index.js';

/** The attributes of one BPF_MAP_CREATE. */
export interface CreateCase {
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly name: string;
  readonly mapExtra?: bigint;
}

type Sizes = readonly [keySize: number, valueSize: number, maxEntries: number];

/** Types, and sizes that each accepts. */
const types: Readonly<Record<string, Sizes>> = {
  hash: [4, 8, 4],
  array: [4, 8, 4],
  prog_array: [4, 4, 4],
  perf_event_array: [4, 4, 4],
  cgroup_array: [4, 4, 4],
  percpu_hash: [4, 8, 4],
  percpu_array: [4, 8, 4],
  stack_trace: [4, 64, 4],
  lru_hash: [4, 8, 4],
  lru_percpu_hash: [4, 8, 4],
  ringbuf: [0, 0, 4096],
  queue: [0, 8, 4],
  stack: [0, 8, 4],
  bloom_filter: [0, 8, 4],
};

const sizes: readonly Sizes[] = [
  [0, 8, 4],
  [4, 0, 4],
  [4, 8, 0],
  [0, 0, 0],
  [3, 8, 4],
  [5, 4, 4],
  [8, 4, 4],
  [512, 8, 4],
  [4, 1, 1],
  [4, 4, 3],
  [4, 7, 4],
  [4, 12, 4],
  [4, 1016, 1],
  [4, 1024, 1],
  [4, 32760, 1],
  [4, 32768, 1],
  [4, 32769, 1],
  [4, 4_194_251, 1],
  [4, 4_194_252, 1],
  [8, 4_194_248, 1],
  [4, 0x7fff_ffff, 0],
  [4, 0x8000_0000, 1],
  [4, 0xffff_ffff, 1],
  [0, 8, 4],
  [0, 8, 0],
  [0, 4_194_304, 1],
  [0, 4_194_305, 1],
  [0, 0, 1],
  [0, 0, 2048],
  [0, 0, 8192],
  [0, 0, 12288],
  [4, 0, 4096],
  [0, 4, 4096],
];

/** Numbers of entries past a limit. Only for types that have one: the others would try to allocate them. */
const counts: Readonly<Record<string, readonly number[]>> = {
  hash: [0x800_0001, 0x8000_0000, 0xffff_ffff],
  percpu_hash: [0x800_0001, 0x8000_0000, 0xffff_ffff],
  lru_percpu_hash: [0x800_0001, 0x8000_0000, 0xffff_ffff],
  lru_hash: [0x800_0001, 0x8000_0000, 0xffff_ffff],
  stack_trace: [0x8000_0001, 0xffff_ffff],
};

const flagPairs = [0x8 | 0x10, 0x80 | 0x100, 0x8 | 0x80, 0x2 | 0x4, 0x1 | 0x2, 0x400 | 0x4, 0x8 | 0x10 | 0x8000_0000];
const flags: readonly number[] = [0, ...Array.from({ length: 32 }, (_, bit) => 2 ** bit), ...flagPairs];

const names = ['', 'a', 'fifteen_chars__', 'with.dot', 'with-dash', 'with space', 'caf\u00e9', '\n'];

/** Hash functions of bloom filters are a number of 4 bits; no other type takes any. */
const extras: Readonly<Record<string, readonly bigint[]>> = {
  hash: [1n],
  queue: [1n],
  ringbuf: [1n],
  bloom_filter: [1n, 5n, 15n, 16n, 1n << 32n, 1n << 63n],
};

/** Flags that bpf(2) reads with fields of the attr that a spec does not have. */
const NEEDS_MORE_ATTR: readonly number[] = [0x1_0000];

/** What every type is tried with: each flag alone and some together, sizes at the edges, names. */
export const createCases: readonly CreateCase[] = Object.entries(types).flatMap(([type, good]) => [
  ...flags.filter((flag) => !NEEDS_MORE_ATTR.includes(flag)).map((flag) => makeCase(type, good, flag)),
  ...sizes.map((size) => makeCase(type, size, 0)),
  ...(counts[type] ?? []).map((count) => makeCase(type, [good[0], good[1], count], 0)),
  ...names.map((name) => makeCase(type, good, 0, name)),
  ...(extras[type] ?? []).map((mapExtra) => ({ ...makeCase(type, good, 0), mapExtra })),
  makeCase(type, [4, 0, 0], 0x8000_0000, '-'),
]);

function makeCase(type: string, [keySize, valueSize, maxEntries]: Sizes, flag: number, name = 'm'): CreateCase {
  return { type, keySize, valueSize, maxEntries, flags: flag >>> 0, name };
}

export function typeNumber(type: string): number {
  return BpfMapType[`BPF_MAP_TYPE_${type.toUpperCase()}` as keyof typeof BpfMapType];
}

export function describeCase({
  type,
  keySize,
  valueSize,
  maxEntries,
  flags: bits,
  name,
  mapExtra,
}: CreateCase): string {
  const extra = mapExtra === undefined ? '' : ` extra=${mapExtra}`;
  return `${type} key=${keySize} value=${valueSize} max=${maxEntries} flags=0x${bits.toString(16)}${extra} name=${JSON.stringify(name)}`;
}
