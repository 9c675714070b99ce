import { BpfFuncId, BpfProgType, BpfStackFlag, Errno } from '../../base/index.js';
import { PerfEventArrayMap } from '../map/fd-array-map.js';
import type { PerfEventSink } from '../ring/perf-sink.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper } from './helper.js';
import { mapOf } from './map-argument.js';

/** sizeof(struct bpf_perf_event_value) */
const VALUE_SIZE = 24;

/** Types whose func_proto leaves bpf_perf_event_output out. */
const WITHOUT_OUTPUT: readonly number[] = [
  BpfProgType.BPF_PROG_TYPE_UNSPEC,
  BpfProgType.BPF_PROG_TYPE_SK_REUSEPORT,
  BpfProgType.BPF_PROG_TYPE_FLOW_DISSECTOR,
  BpfProgType.BPF_PROG_TYPE_NETFILTER,
];

/**
 * Helpers over perf event arrays (kernel/trace/bpf_trace.c). The tracing variant of perf_event_output:
 * the networking ones append packet bytes counted in the upper half of `flags`, which is -EINVAL here.
 */
export const perfHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_perf_event_output,
    name: 'perf_event_output',
    args: ['ctx', 'const_map_ptr', 'anything', 'mem', 'const_size_or_zero'],
    ret: 'integer',
    gplOnly: true,
    programTypes: Object.values(BpfProgType).filter((type) => !WITHOUT_OUTPUT.includes(type)),
    impl: perfEventOutput,
  },
  {
    id: BpfFuncId.BPF_FUNC_perf_event_read_value,
    name: 'perf_event_read_value',
    args: ['const_map_ptr', 'anything', 'mem_uninit', 'const_size'],
    ret: 'integer',
    gplOnly: true,
    impl: perfEventReadValue,
  },
];

function perfEventOutput(
  run: BpfRunCtx,
  _ctx: number,
  _ctxHi: number,
  map: number,
  _mapHi: number,
  flags: number,
  flagsHi: number,
  data: number,
  _dataHi: number,
  size: number,
): number {
  if (flagsHi !== 0) return -Errno.EINVAL;
  const sink = sinkOf(run, map, flags);
  if (typeof sink === 'number') return sink;
  if (!sink.isBpfOutput) return -Errno.EINVAL;
  if (sink.cpu !== run.cpu) return -Errno.EOPNOTSUPP;
  return sink.output(run, data >>> 0, size);
}

function perfEventReadValue(
  run: BpfRunCtx,
  map: number,
  _mapHi: number,
  flags: number,
  flagsHi: number,
  out: number,
  _outHi: number,
  size: number,
): number {
  const at = out >>> 0;
  const error = readValue(run, map, flags, flagsHi, at, size);
  if (error !== 0) run.runtime.memory.u8.fill(0, at, at + size);
  return error;
}

function readValue(run: BpfRunCtx, map: number, flags: number, flagsHi: number, out: number, size: number): number {
  if (size !== VALUE_SIZE || flagsHi !== 0) return -Errno.EINVAL;
  const sink = sinkOf(run, map, flags);
  return typeof sink === 'number' ? sink : sink.readValue(run, out);
}

/** The event that `index` (BPF_F_CURRENT_CPU: this CPU's) selects, or -errno. */
function sinkOf(run: BpfRunCtx, mapLo: number, index: number): PerfEventSink | number {
  const map = mapOf(run, mapLo);
  if (!(map instanceof PerfEventArrayMap)) return -Errno.EINVAL;
  const selected = index >>> 0 === BpfStackFlag.BPF_F_CURRENT_CPU ? run.cpu : index >>> 0;
  if (selected >= map.maxEntries) return -Errno.E2BIG;
  return map.get(selected) ?? -Errno.ENOENT;
}
