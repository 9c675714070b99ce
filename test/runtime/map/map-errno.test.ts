import { describe, expect, it } from 'vitest';
import { BpfMapType as T, errnoName } from '../../../src/base/index.js';
import type { MapSpec } from '../../../src/runtime/map/bpf-map.js';
import { createMap } from '../../../src/runtime/map/create-map.js';
import { BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { callLinux, callOurs } from './operation-scripts.js';

const CPUS = 2;

/**
 * System calls on a map of three elements, of which 0 and 1 have been updated where the type allows it.
 * f1: BPF_NOEXIST, f2: BPF_EXIST.
 */
const calls = {
  'lookup of an absent key': 'lookup 9',
  'update with BPF_NOEXIST of what is there': 'update 0 =101 f1',
  'update with BPF_EXIST of what is not': 'update 9 =101 f2',
  'update with unknown flags': 'update 0 =101 f16',
  'delete of an absent key': 'delete 9',
  'lookup and delete': 'take 9',
  'the first key': 'next null',
  'update of the last key': 'update 2 =101',
  'update of a new key beyond max_entries': 'update 9 =101',
} as const;

/** In the order of `calls`. */
type Answers = readonly string[];

/** One row per map type. */
const rows: readonly (readonly [name: keyof typeof T, valueSize: number, answers: Answers])[] = [
  ['BPF_MAP_TYPE_HASH', 8, ['ENOENT', 'EEXIST', 'ENOENT', 'EINVAL', 'ENOENT', 'ENOENT', 'ok', 'ok', 'E2BIG']],
  ['BPF_MAP_TYPE_PERCPU_HASH', 8, ['ENOENT', 'EEXIST', 'ENOENT', 'EINVAL', 'ENOENT', 'ENOENT', 'ok', 'ok', 'E2BIG']],
  ['BPF_MAP_TYPE_LRU_HASH', 8, ['ENOENT', 'EEXIST', 'ENOENT', 'EINVAL', 'ENOENT', 'ENOENT', 'ok', 'ok', 'ok']],
  ['BPF_MAP_TYPE_LRU_PERCPU_HASH', 8, ['ENOENT', 'EEXIST', 'ENOENT', 'EINVAL', 'ENOENT', 'ENOENT', 'ok', 'ok', 'ok']],
  ['BPF_MAP_TYPE_ARRAY', 8, ['ENOENT', 'EEXIST', 'E2BIG', 'EINVAL', 'EINVAL', 'ENOTSUPP', 'ok', 'ok', 'E2BIG']],
  ['BPF_MAP_TYPE_PERCPU_ARRAY', 8, ['ENOENT', 'EEXIST', 'E2BIG', 'EINVAL', 'EINVAL', 'ENOTSUPP', 'ok', 'ok', 'E2BIG']],
  [
    'BPF_MAP_TYPE_PERF_EVENT_ARRAY',
    4,
    ['ENOTSUPP', 'EINVAL', 'EINVAL', 'EINVAL', 'E2BIG', 'ENOTSUPP', 'ok', 'EBADF', 'E2BIG'],
  ],
  ['BPF_MAP_TYPE_PROG_ARRAY', 4, ['ENOENT', 'EINVAL', 'EINVAL', 'EINVAL', 'E2BIG', 'ENOTSUPP', 'ok', 'EBADF', 'E2BIG']],
  [
    'BPF_MAP_TYPE_STACK_TRACE',
    16,
    ['ENOENT', 'EINVAL', 'EINVAL', 'EINVAL', 'E2BIG', 'ENOENT', 'ENOENT', 'EINVAL', 'EINVAL'],
  ],
  [
    'BPF_MAP_TYPE_RINGBUF',
    0,
    ['ENOTSUPP', 'ENOTSUPP', 'ENOTSUPP', 'ENOTSUPP', 'ENOTSUPP', 'ENOTSUPP', 'ENOTSUPP', 'ENOTSUPP', 'ENOTSUPP'],
  ],
];

/** A map of `name` with what a system call puts into it, on a machine of `cpus` CPUs. */
function specOf(name: keyof typeof T, valueSize: number, cpus: number): { spec: MapSpec; bytes: number } {
  const sizes = name === 'BPF_MAP_TYPE_RINGBUF' ? { keySize: 0, maxEntries: 4096 } : { keySize: 4, maxEntries: 3 };
  const spec = { name: 'm', type: T[name], valueSize, flags: 0, keyTypeId: 0, valueTypeId: 0, ...sizes };
  return { spec, bytes: name.includes('PERCPU') ? valueSize * cpus : valueSize };
}

function answerOf(result: Uint8Array | number): string | undefined {
  return typeof result === 'number' && result < 0 ? errnoName(-result) : 'ok';
}

const named = (answers: readonly unknown[]): object =>
  Object.fromEntries(Object.keys(calls).map((what, i) => [what, answers[i]]));

describe('what each map type answers to bpf(2)', () => {
  it.each(rows)('%s', (name, valueSize, expected) => {
    const { spec, bytes } = specOf(name, valueSize, CPUS);
    const map = createMap({ memory: new BpfMemory(), cpus: CPUS, id: 1 }, spec);
    for (const key of [0, 1]) callOurs(map, `update ${key} =101`, bytes);
    const answers = Object.values(calls).map((call) => answerOf(callOurs(map, call, bytes)));
    expect(named(answers)).toEqual(named(expected));
  });
});

/** 2^32, alone and with BPF_F_LOCK: EINVAL, also before EPERM for a map that must not be read. */
const WIDE = [
  'lookup 0 f4294967296',
  'lookup 0 f4294967300',
  'take 0 f4294967296',
  'take 0 f4294967300',
  'update 0 =101 f4294967296',
];
const WRITE_ONLY: MapSpec = { ...specOf('BPF_MAP_TYPE_HASH', 8, CPUS).spec, flags: 0x10 };

describe('flags that no 32 bits hold are EINVAL', () => {
  it.each(WIDE)('%s', (call) => {
    const map = createMap({ memory: new BpfMemory(), cpus: CPUS, id: 1 }, WRITE_ONLY);
    expect(answerOf(callOurs(map, call, 8))).toBe('EINVAL');
  });
});

describeWithLinux('flags that no 32 bits hold are EINVAL, live', (linux) => {
  it.each(WIDE)('%s', async (call) => {
    const slot = linux.slot();
    void linux.mapCreate(slot, WRITE_ONLY);
    const answer = answerOf(await callLinux(linux, slot, call, 4, 8));
    await linux.close(slot);
    expect(answer).toBe('EINVAL');
  });
});

describeWithLinux('what each map type answers to bpf(2), live', (linux) => {
  it.each(rows)('%s', async (name, valueSize, expected) => {
    const { spec, bytes } = specOf(name, valueSize, linux.cpus);
    const slot = linux.slot();
    void linux.mapCreate(slot, spec);
    for (const key of [0, 1]) await callLinux(linux, slot, `update ${key} =101`, spec.keySize, bytes);
    const answers: unknown[] = [];
    for (const call of Object.values(calls)) {
      answers.push(answerOf(await callLinux(linux, slot, call, spec.keySize, bytes)));
    }
    await linux.close(slot);
    expect(named(answers)).toEqual(named(expected));
  });
});
