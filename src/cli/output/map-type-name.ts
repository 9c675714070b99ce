import { BpfMapType } from '../../base/index.js';

const names = new Map<number, string>(
  Object.entries(BpfMapType).map(([name, value]) => [value, name.replace('BPF_MAP_TYPE_', '').toLowerCase()]),
);

/** bpftool's name of a map type: `hash`, `percpu_array` ... */
export function mapTypeName(type: number): string {
  return names.get(type) ?? `type ${type}`;
}
