import type { BpfMap, MapSpec } from '../../../src/runtime/map/bpf-map.js';
import type { LinuxOracle, Slot } from '../../oracle/linux.js';

/** Possible CPUs of the machine on which the goldens were recorded. */
export const GOLDEN_CPUS = 2;

/** A map and system calls on it, one word each: see `parse`. */
export interface Script {
  readonly title: string;
  readonly type: number;
  readonly sizes: Partial<MapSpec>;
  readonly calls: readonly string[];
}

const common = [
  'lookup 0',
  'update 0 =101',
  'lookup 0',
  'lookup 0 f1',
  'lookup 0 f4',
  'update 0 =102 f1',
  'update 0 =103 f2',
  'update 0 =103 f3',
];
const more = [
  'update 0 =103 f4',
  'update 9 =109 f2',
  'update 9 =109',
  'next null',
  'next 0',
  'next 9',
  'next 77',
  'take 0',
  'take 0',
  'take 9 f1',
  'take 9 f4',
];
const last = [
  'update 1 =101',
  'update 2 =102',
  'update 3 =103',
  'delete 2',
  'delete 2',
  'delete 9',
  'lookup 1',
  'next null',
  'freeze',
  'lookup 1',
  'update 1 =105',
  'delete 1',
  'take 1',
  'next null',
  'freeze',
];
const all = [...common, ...more, ...last];

const HASH = { keySize: 4, valueSize: 8, maxEntries: 2, flags: 0x40 };
const ARRAY = { keySize: 4, valueSize: 8, maxEntries: 3, flags: 0 };

const keyed: readonly Script[] = [
  { title: 'hash', type: 1, sizes: HASH, calls: all },
  { title: 'hash, not preallocated', type: 1, sizes: { ...HASH, flags: 0x41 }, calls: all },
  { title: 'hash, read-only', type: 1, sizes: { ...HASH, flags: 0x48 }, calls: all },
  { title: 'hash, write-only', type: 1, sizes: { ...HASH, flags: 0x50 }, calls: all },
  { title: 'percpu_hash', type: 5, sizes: { ...HASH, valueSize: 12 }, calls: all },
  { title: 'lru_hash', type: 9, sizes: HASH, calls: all },
  { title: 'lru_percpu_hash', type: 10, sizes: { ...HASH, valueSize: 12 }, calls: all },
  { title: 'array', type: 2, sizes: ARRAY, calls: all },
  { title: 'array, mmapable', type: 2, sizes: { ...ARRAY, flags: 0x400 }, calls: all },
  { title: 'percpu_array', type: 6, sizes: { ...ARRAY, valueSize: 12 }, calls: all },
  { title: 'perf_event_array', type: 4, sizes: { ...ARRAY, valueSize: 4 }, calls: all },
  { title: 'prog_array', type: 3, sizes: { ...ARRAY, valueSize: 4 }, calls: all },
  { title: 'stack_trace', type: 7, sizes: { ...ARRAY, valueSize: 16 }, calls: all },
  {
    title: 'ringbuf',
    type: 27,
    sizes: { keySize: 0, valueSize: 0, maxEntries: 4096 },
    calls: [
      'lookup 0',
      'update 0 =101',
      'update 0 =101 f1',
      'delete 0',
      'next null',
      'take 0',
      'freeze',
      'update 0 =101',
      'lookup 0',
    ],
  },
];

/** Calls of maps without keys: an update pushes, a lookup peeks, taking pops. */
const keyless = [
  'lookup 0',
  'take 0',
  'update 0 =101',
  'lookup 0',
  'update 0 =102',
  'update 0 =103 f1',
  'update 0 =103 f3',
  'update 0 =103 f4',
  'lookup 0',
  'lookup 0 f1',
  'lookup 0 f4',
  'update 0 =103',
  'update 0 =104',
  'update 0 =105 f2',
  'take 0 f1',
  'take 0 f4',
  'take 0',
  'take 0',
  'update 0 =106 f2',
  'update 0 =107',
  'take 0',
  'take 0',
  'take 0',
  'take 0',
  'update 0 =108',
  'delete 0',
  'next null',
  'freeze',
  'update 0 =109',
  'take 0',
  'lookup 0',
  'freeze',
];
const KEYLESS = { keySize: 0, valueSize: 12, maxEntries: 3 };

export const scripts: readonly Script[] = [
  ...keyed,
  { title: 'queue', type: 22, sizes: KEYLESS, calls: keyless },
  { title: 'queue, read-only', type: 22, sizes: { ...KEYLESS, flags: 0x8 }, calls: keyless },
  { title: 'queue, write-only', type: 22, sizes: { ...KEYLESS, flags: 0x10 }, calls: keyless },
  { title: 'stack', type: 23, sizes: KEYLESS, calls: keyless },
  { title: 'bloom filter', type: 30, sizes: { ...KEYLESS, flags: 0x40 }, calls: keyless },
];

interface Call {
  readonly name: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly flags: number;
}

/** `update 3 =107 f1`: key 3, every 8-byte slot of the value 7, flags 1. */
function parse(text: string, keySize: number, valueSize: number): Call {
  const words = text.split(' ');
  const find = (start: string): number => Number(words.find((word) => word.startsWith(start))?.slice(1) ?? 0);
  const key = new Uint8Array(keySize);
  if (keySize > 0) key[0] = Number(words[1]);
  const value = Uint8Array.from({ length: valueSize }, (_, i) => (i % 8 === 0 ? find('=') + i : 0));
  return { name: words[0], key: words[1] === 'null' ? null : key, value, flags: find('f') };
}

export function callOurs(map: BpfMap, text: string, valueSize: number): Uint8Array | number {
  const { name, key, value, flags } = parse(text, map.keySize, valueSize);
  if (name === 'freeze') return map.sysFreeze();
  if (name === 'next') return map.sysNextKey(key);
  if (name === 'lookup') return map.sysLookup(key as Uint8Array, flags);
  if (name === 'take') return map.sysLookupAndDelete(key as Uint8Array, flags);
  return name === 'delete' ? map.sysDelete(key as Uint8Array) : map.sysUpdate(key as Uint8Array, value, flags);
}

export function callLinux(
  linux: LinuxOracle,
  slot: Slot,
  text: string,
  keySize: number,
  valueSize: number,
): Promise<Uint8Array | number> {
  const { name, key, value, flags } = parse(text, keySize, valueSize);
  if (name === 'freeze') return linux.mapFreeze(slot);
  if (name === 'next') return linux.mapNextKey(slot, key, keySize);
  if (name === 'lookup') return linux.mapLookup(slot, key as Uint8Array, valueSize, BigInt(flags));
  if (name === 'take') return linux.mapLookupAndDelete(slot, key as Uint8Array, valueSize, BigInt(flags));
  return name === 'delete'
    ? linux.mapDelete(slot, key as Uint8Array)
    : linux.mapUpdate(slot, key as Uint8Array, value, BigInt(flags));
}

export function lineOf(script: Script, call: string, result: Uint8Array | number): string {
  const text = typeof result === 'number' ? String(result) : Buffer.from(result).toString('hex');
  return `${script.title} | ${call} -> ${text}`;
}
