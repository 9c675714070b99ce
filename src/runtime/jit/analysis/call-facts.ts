import { BpfFuncId } from '../../../base/index.js';
import type { HelperArg } from '../../helper/helper.js';
import type { BpfMap } from '../../map/bpf-map.js';
import type { AccessWay } from './access-facts.js';
import type { ProgramState } from './program-state.js';
import { isConstant, isStart, Kind, type Value } from './value.js';

/** What is known of one argument, for all runs. */
export interface ArgumentFact {
  /** Its words, if it is always the same number. */
  readonly constant?: Words | undefined;
  /** How to make sure that its bytes may be read, if it is a pointer whose size is known. */
  readonly way?: AccessWay | undefined;
  /** What the 32-bit key lies between that it points to. */
  readonly key?: Bounds | undefined;
  /** The record that it is, open for sure. */
  readonly record?: RecordFact | undefined;
  /** It is the context for sure. */
  readonly isContext?: boolean;
}

export interface RecordFact {
  readonly ring: BpfMap;
  /** Bytes that were reserved. */
  readonly size: number;
}

export interface Words {
  readonly lo: number;
  readonly hi: number;
}

/** The least and the largest that an unsigned number can be. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** What the analysis found out about a call of a helper. */
export interface CallFact {
  /** The map that r1 points to. */
  readonly map: BpfMap | undefined;
  /** By register number. */
  readonly arguments: readonly ArgumentFact[];
}

const F = BpfFuncId;
/** Helpers that need not be called outside, or not always. */
const followed: ReadonlySet<number> = new Set<number>([
  F.BPF_FUNC_map_lookup_elem,
  F.BPF_FUNC_map_update_elem,
  F.BPF_FUNC_map_delete_elem,
  F.BPF_FUNC_map_lookup_percpu_elem,
  F.BPF_FUNC_ringbuf_reserve,
  F.BPF_FUNC_ringbuf_submit,
  F.BPF_FUNC_ringbuf_discard,
  F.BPF_FUNC_ringbuf_output,
  F.BPF_FUNC_ringbuf_query,
  F.BPF_FUNC_get_smp_processor_id,
  F.BPF_FUNC_get_attach_cookie,
  F.BPF_FUNC_get_func_ip,
]);

/** The facts of a call made in this state; undefined for helpers of which nothing is asked. */
export function callFact(
  { id, args }: { readonly id: number; readonly args: readonly HelperArg[] },
  state: ProgramState,
  known: BpfMap | undefined,
  judge: (pointer: Value, size: number) => AccessWay,
): CallFact | undefined {
  if (!followed.has(id)) return undefined;
  const first = state.register(1);
  const map = known ?? (first.kind === Kind.map ? (first.map ?? undefined) : undefined);
  const facts: ArgumentFact[] = [{}];
  args.forEach((arg, i) => {
    const value = state.register(i + 1);
    const size = sizeOf(arg, map, state.register(i + 2));
    facts.push({
      constant: constantOf(value),
      way: size === undefined ? undefined : judge(value, size),
      key: arg === 'map_key' && size === 4 ? keyBounds(value, state) : undefined,
      record: recordOf(value),
      isContext: value.kind === Kind.context && isStart(value),
    });
  });
  return { map, arguments: facts };
}

function constantOf(value: Value): Words | undefined {
  return isConstant(value) ? { lo: value.lo | 0, hi: Math.floor(value.lo / 2 ** 32) | 0 } : undefined;
}

/** Keys that the function itself has put into its frame. */
function keyBounds(pointer: Value, state: ProgramState): Bounds | undefined {
  if (pointer.kind !== Kind.frame || pointer.lo !== pointer.hi) return undefined;
  const stored = state.frameCell(pointer.lo, 4);
  if (stored?.kind !== Kind.scalar || stored.lo < 0 || stored.hi >= 2 ** 32) return undefined;
  return { least: stored.lo, most: stored.hi };
}

/** Bytes that an argument points to. */
function sizeOf(arg: HelperArg, map: BpfMap | undefined, next: Value): number | undefined {
  switch (arg) {
    case 'map_key':
      return map?.keySize;
    case 'map_value':
      return map?.valueSize;
    case 'mem': {
      const size = constantOf(next);
      return size !== undefined && size.hi === 0 && size.lo > 0 ? size.lo : undefined;
    }
    default:
      return undefined;
  }
}

function recordOf(value: Value): RecordFact | undefined {
  const { kind, map, extent } = value;
  return kind === Kind.record && isStart(value) && map !== null ? { ring: map, size: extent } : undefined;
}
