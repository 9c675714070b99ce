import { BpfMapType } from '../../base/index.js';
import { type Btf, type BtfValue, decodeValue } from '../../btf/index.js';
import type { BpfMap } from '../../runtime/index.js';
import type { DumpedElement, MapDump, MapTypes } from './map-dump.js';

const PER_CPU: ReadonlySet<number> = new Set([
  BpfMapType.BPF_MAP_TYPE_PERCPU_HASH,
  BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY,
  BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH,
]);

/** All elements of a map as bpf(2) gives them, decoded where the object's BTF types key and value. */
export function readMap(map: BpfMap, btf: Btf | undefined, cpus: number): MapDump {
  const perCpu = PER_CPU.has(map.type);
  const elements: DumpedElement[] = [];
  let key: Uint8Array | null = null;
  for (let i = 0; i <= map.maxEntries; i++) {
    const next = map.sysNextKey(key);
    if (typeof next === 'number') break;
    key = next;
    const bytes = map.sysLookup(key);
    if (typeof bytes === 'number') continue;
    const values = perCpu ? splitPerCpu(bytes, map.valueSize, cpus) : [bytes];
    elements.push({ key, values, formatted: format(map, btf, key, values) });
  }
  return { perCpu, elements, types: typesOf(map, btf) };
}

function typesOf({ spec: { keyTypeId, valueTypeId } }: BpfMap, btf: Btf | undefined): MapTypes | undefined {
  if (btf === undefined || valueTypeId === 0) return undefined;
  if (keyTypeId === 0 && btf.kindOf(valueTypeId) !== 'datasec') return undefined;
  return { btf, key: keyTypeId, value: valueTypeId };
}

function splitPerCpu(bytes: Uint8Array, valueSize: number, cpus: number): Uint8Array[] {
  const stride = bytes.length / cpus;
  return Array.from({ length: cpus }, (_, cpu) => bytes.subarray(cpu * stride, cpu * stride + valueSize));
}

function format(
  map: BpfMap,
  btf: Btf | undefined,
  key: Uint8Array,
  values: readonly Uint8Array[],
): { key: BtfValue; values: BtfValue[] } | undefined {
  const { keyTypeId, valueTypeId } = map.spec;
  if (btf === undefined || keyTypeId === 0 || valueTypeId === 0) return undefined;
  return {
    key: decodeValue(btf, keyTypeId, key),
    values: values.map((value) => decodeValue(btf, valueTypeId, value)),
  };
}
