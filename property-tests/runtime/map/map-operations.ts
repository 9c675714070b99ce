import * as fc from 'fast-check';
import { BpfMapFlag, BpfMapType } from '../../../src/base/index.js';
import type { BpfMap, MapSpec } from '../../../src/runtime/map/bpf-map.js';
import { createMap } from '../../../src/runtime/map/create-map.js';
import { BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';
import type { LinuxOracle, Slot } from '../../../test/oracle/linux.js';

/** One system call on a map. */
export type MapOperation =
  | { readonly op: 'lookup' | 'delete' | 'take'; readonly key: Uint8Array; readonly flags: number }
  | { readonly op: 'update'; readonly key: Uint8Array; readonly value: Uint8Array; readonly flags: number }
  | { readonly op: 'next'; readonly key: Uint8Array | null }
  | { readonly op: 'freeze' };

/** What a system call gives: bytes in hex, or 0 / -errno. */
export type MapAnswer = string | number;

export interface MapScenario {
  readonly spec: MapSpec;
  readonly operations: readonly MapOperation[];
}

export function mapSpec(type: number, sizes: Partial<MapSpec>): MapSpec {
  return { name: 'm', type, keySize: 4, valueSize: 8, maxEntries: 4, flags: 0, keyTypeId: 0, valueTypeId: 0, ...sizes };
}

const PER_CPU: readonly number[] = [
  BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY,
  BpfMapType.BPF_MAP_TYPE_PERCPU_HASH,
  BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH,
];

/** The size of a value as bpf(2) passes it. */
export function sysValueSize(spec: MapSpec, cpus: number): number {
  return PER_CPU.includes(spec.type) ? Math.ceil(spec.valueSize / 8) * 8 * cpus : spec.valueSize;
}

const keySizes: Record<number, readonly number[]> = {
  [BpfMapType.BPF_MAP_TYPE_HASH]: [1, 2, 3, 4, 5, 7, 8, 12, 13, 16, 24, 31],
  [BpfMapType.BPF_MAP_TYPE_PERCPU_HASH]: [1, 4, 8, 20],
  [BpfMapType.BPF_MAP_TYPE_LRU_HASH]: [1, 4, 8, 11],
  [BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH]: [1, 4, 8, 11],
  [BpfMapType.BPF_MAP_TYPE_RINGBUF]: [0],
};

function valueSizes(type: number): readonly number[] {
  if (type === BpfMapType.BPF_MAP_TYPE_RINGBUF) return [0];
  if (type === BpfMapType.BPF_MAP_TYPE_STACK_TRACE) return [8, 64];
  if (type === BpfMapType.BPF_MAP_TYPE_PROG_ARRAY || type === BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY) return [4];
  return [1, 3, 4, 8, 13, 16, 40];
}

const hashTypes: readonly number[] = [
  BpfMapType.BPF_MAP_TYPE_HASH,
  BpfMapType.BPF_MAP_TYPE_PERCPU_HASH,
  BpfMapType.BPF_MAP_TYPE_LRU_HASH,
  BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH,
];

function flagsOf(type: number): readonly number[] {
  const { BPF_F_ZERO_SEED: zeroSeed, BPF_F_NO_PREALLOC: lazy, BPF_F_RDONLY: rdonly, BPF_F_WRONLY: wronly } = BpfMapFlag;
  if (type === BpfMapType.BPF_MAP_TYPE_RINGBUF) return [0];
  if (type === BpfMapType.BPF_MAP_TYPE_LRU_HASH || type === BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH)
    return [zeroSeed, zeroSeed, zeroSeed | BpfMapFlag.BPF_F_NO_COMMON_LRU];
  if (hashTypes.includes(type)) return [zeroSeed, zeroSeed, zeroSeed | lazy, zeroSeed | rdonly, zeroSeed | wronly];
  return [0, 0, 0, rdonly, wronly];
}

function specs(type: number): fc.Arbitrary<MapSpec> {
  return fc
    .record({
      keySize: fc.constantFrom(...(keySizes[type] ?? [4])),
      valueSize: fc.constantFrom(...valueSizes(type)),
      maxEntries: type === BpfMapType.BPF_MAP_TYPE_RINGBUF ? fc.constant(4096) : fc.constantFrom(1, 2, 3, 4, 5, 8, 17),
      flags: fc.constantFrom(...flagsOf(type)),
    })
    .map((sizes) => mapSpec(type, sizes));
}

/** Few distinct keys, so that operations meet; the last one is far out of any array. */
function keys(spec: MapSpec): fc.Arbitrary<Uint8Array> {
  const near = fc.nat(spec.maxEntries + 2);
  return fc.oneof({ weight: 12, arbitrary: near }, { weight: 1, arbitrary: fc.constant(0xffff_ffff) }).map((n) => {
    const key = new Uint8Array(spec.keySize);
    for (let i = 0; i < key.length; i++) key[i] = i < 4 ? (n >>> (8 * i)) & 0xff : (n * 7 + i) & 0xff;
    return key;
  });
}

function operations(spec: MapSpec, cpus: number, length: number): fc.Arbitrary<MapOperation[]> {
  const key = keys(spec);
  const size = sysValueSize(spec, cpus);
  const value = fc.uint8Array({ minLength: size, maxLength: size });
  const updateFlags = fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 5, 8);
  const lookupFlags = fc.constantFrom(0, 0, 0, 0, 0, 0, 4, 1);
  const operation: fc.Arbitrary<MapOperation> = fc.oneof(
    { weight: 80, arbitrary: fc.record({ op: fc.constant('update' as const), key, value, flags: updateFlags }) },
    { weight: 50, arbitrary: fc.record({ op: fc.constant('lookup' as const), key, flags: lookupFlags }) },
    { weight: 30, arbitrary: fc.record({ op: fc.constant('delete' as const), key, flags: fc.constant(0) }) },
    { weight: 20, arbitrary: fc.record({ op: fc.constant('take' as const), key, flags: lookupFlags }) },
    {
      weight: 30,
      arbitrary: fc.record({
        op: fc.constant('next' as const),
        key: spec.keySize === 0 ? fc.constant(null) : fc.option(key),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ op: 'freeze' as const }) },
  );
  return fc.array(operation, { minLength: length >> 1, maxLength: length });
}

/** A map and a sequence of system calls on it, then a walk over all keys. */
export function mapScenarios(type: number, cpus: number, length: number): fc.Arbitrary<MapScenario> {
  return specs(type).chain((spec) => operations(spec, cpus, length).map((list) => ({ spec, operations: list })));
}

function answer(result: Uint8Array | number): MapAnswer {
  return typeof result === 'number'
    ? result
    : Array.from(result, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function applyOurs(map: BpfMap, operation: MapOperation): MapAnswer {
  switch (operation.op) {
    case 'lookup':
      return answer(map.sysLookup(operation.key, operation.flags));
    case 'take':
      return answer(map.sysLookupAndDelete(operation.key, operation.flags));
    case 'delete':
      return map.sysDelete(operation.key);
    case 'update':
      return map.sysUpdate(operation.key, operation.value, operation.flags);
    case 'next':
      return answer(map.sysNextKey(operation.key));
    default:
      return map.sysFreeze();
  }
}

/** Answers of a map of ours, and all keys in iteration order at the end. */
export function runOurs({ spec, operations: list }: MapScenario, cpus: number): MapAnswer[] {
  const memory = new BpfMemory();
  const map = createMap({ memory, cpus, id: 1 }, spec);
  const answers = list.map((operation) => applyOurs(map, operation));
  let key: Uint8Array | number = map.sysNextKey(null);
  while (typeof key !== 'number' && answers.length < list.length + 40) {
    answers.push(answer(key));
    key = map.sysNextKey(key);
  }
  answers.push(answer(key));
  map.release();
  if (memory.used !== 0) throw new Error(`${memory.used} bytes of BpfMemory leaked`);
  return answers;
}

function applyLinux(
  linux: LinuxOracle,
  slot: Slot,
  spec: MapSpec,
  operation: MapOperation,
): Promise<Uint8Array | number> {
  const size = sysValueSize(spec, linux.cpus);
  switch (operation.op) {
    case 'lookup':
      return linux.mapLookup(slot, operation.key, size, BigInt(operation.flags));
    case 'take':
      return linux.mapLookupAndDelete(slot, operation.key, size, BigInt(operation.flags));
    case 'delete':
      return linux.mapDelete(slot, operation.key);
    case 'update':
      return linux.mapUpdate(slot, operation.key, operation.value, BigInt(operation.flags));
    case 'next':
      return linux.mapNextKey(slot, operation.key, spec.keySize);
    default:
      return linux.mapFreeze(slot);
  }
}

/** The same of the live kernel. */
export async function runLinux({ spec, operations: list }: MapScenario, linux: LinuxOracle): Promise<MapAnswer[]> {
  const slot = linux.slot();
  const created = linux.mapCreate(slot, spec);
  const pending = list.map((operation) => applyLinux(linux, slot, spec, operation));
  const answers = (await Promise.all(pending)).map(answer);
  if ((await created) !== 0) throw new Error(`the kernel refuses the map: ${await created}`);
  let key = await linux.mapNextKey(slot, null, spec.keySize);
  while (typeof key !== 'number' && answers.length < list.length + 40) {
    answers.push(answer(key));
    key = await linux.mapNextKey(slot, key, spec.keySize);
  }
  answers.push(answer(key));
  await linux.close(slot);
  return answers;
}
