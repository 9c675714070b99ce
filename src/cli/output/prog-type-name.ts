import { BpfProgType } from '../../base/index.js';

const names = new Map<number, string>(
  Object.entries(BpfProgType).map(([name, value]) => [value, name.replace('BPF_PROG_TYPE_', '').toLowerCase()]),
);

/** bpftool's name of a program type: `kprobe`, `raw_tracepoint` ... */
export function progTypeName(type: number): string {
  return names.get(type) ?? `type ${type}`;
}
