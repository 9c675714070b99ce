import { BpfFuncId } from '../../../base/index.js';

const helperIds: ReadonlyMap<string, number> = new Map(
  Object.entries(BpfFuncId).map(([name, id]) => [name.slice('BPF_FUNC_'.length), id]),
);

/** Number of a helper by its name, with or without `bpf_`. */
export function helperId(name: string): number | undefined {
  return helperIds.get(name.replace(/^bpf_/, ''));
}
