import { BpfAttachType, BpfFuncId, BpfProgType, Errno } from '../../base/index.js';
import { argumentsAt } from './argument-array.js';
import { bpfFormat } from './bpf-format.js';
import type { Helper } from './helper.js';

const availability = {
  ret: 'integer',
  gplOnly: true,
  programTypes: [BpfProgType.BPF_PROG_TYPE_TRACING],
  attachTypes: [BpfAttachType.BPF_TRACE_ITER],
} as const;

/** What iterators write their file with (kernel/trace/bpf_trace.c). */
export const seqHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_seq_printf,
    name: 'seq_printf',
    args: ['seq_file', 'mem', 'const_size', 'mem_or_null', 'const_size_or_zero'],
    ...availability,
    impl: (run, _seq, _seqHi, fmt, _fmtHi, size, _sizeHi, data, _dataHi, length) => {
      const { seq } = run;
      const args = argumentsAt(run, data, length);
      if (typeof args === 'number' || seq === null) return typeof args === 'number' ? args : -Errno.EINVAL;
      const format = run.runtime.memory.u8.subarray(fmt >>> 0, (fmt >>> 0) + size);
      const end = format.indexOf(0);
      if (end < 0) return -Errno.EINVAL;
      const output = bpfFormat(run, format.subarray(0, end), args, seq.room);
      if (typeof output === 'number') return output;
      return seq.print(output) ? 0 : -Errno.EOVERFLOW;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_seq_write,
    name: 'seq_write',
    args: ['seq_file', 'mem', 'const_size_or_zero'],
    ...availability,
    impl: ({ runtime: { memory }, seq }, _seq, _seqHi, data, _dataHi, size) => {
      const at = data >>> 0;
      return seq?.write(memory.u8.subarray(at, at + size)) === true ? 0 : -Errno.EOVERFLOW;
    },
  },
];
