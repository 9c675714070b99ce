import { BpfFuncId, Errno, u64, utf8Text } from '../../base/index.js';
import type { BpfRunCtx } from '../run-context.js';
import { argumentsAt } from './argument-array.js';
import { bpfFormat } from './bpf-format.js';
import { constString } from './const-string.js';
import type { Helper } from './helper.js';

/** MAX_BPRINTF_BUF, its NUL excluded. */
const MAX_LINE = 1023;

/** bpf_trace_printk and the other formatting helpers. */
export const printHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_trace_printk,
    name: 'trace_printk',
    args: ['mem', 'const_size', 'anything', 'anything', 'anything'],
    ret: 'integer',
    gplOnly: true,
    impl: (run, fmt, _fmtHi, size, _sizeHi, a, aHi, b, bHi, c, cHi) =>
      print(run, fmt, size, [u64(a, aHi), u64(b, bHi), u64(c, cHi)]),
  },
  {
    id: BpfFuncId.BPF_FUNC_trace_vprintk,
    name: 'trace_vprintk',
    args: ['mem', 'const_size', 'mem_or_null', 'const_size_or_zero'],
    ret: 'integer',
    gplOnly: true,
    impl: (run, fmt, _fmtHi, size, _sizeHi, data, _dataHi, length) => {
      const args = argumentsAt(run, data, length);
      return typeof args === 'number' ? args : print(run, fmt, size, args);
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_snprintf,
    name: 'snprintf',
    args: ['mem_uninit_or_null', 'const_size_or_zero', 'const_str', 'mem_or_null', 'const_size_or_zero'],
    ret: 'integer',
    gplOnly: true,
    impl: snprintf,
  },
];

/** Writes one line to the trace; its whole length, or -errno. */
function print(run: BpfRunCtx, fmt: number, size: number, args: readonly bigint[]): number {
  const start = fmt >>> 0;
  const format = run.runtime.memory.u8.subarray(start, start + size);
  const nul = format.indexOf(0);
  if (nul < 0) return -Errno.EINVAL;
  const output = bpfFormat(run, format.subarray(0, nul), args, MAX_LINE);
  if (typeof output === 'number') return output;
  run.runtime.tracePrintk(utf8Text(output.text), run.cpu);
  return output.length;
}

/** The length with its NUL that the whole text would need, or -errno. */
function snprintf(
  run: BpfRunCtx,
  buffer: number,
  _bufferHi: number,
  size: number,
  _sizeHi: number,
  fmt: number,
  fmtHi: number,
  data: number,
  _dataHi: number,
  length: number,
): number {
  const args = argumentsAt(run, data, length);
  if (typeof args === 'number') return args;
  const format = constString(run, fmt, fmtHi);
  if (format === undefined) return -Errno.EINVAL;
  const output = bpfFormat(run, format, args, size - 1);
  if (typeof output === 'number') return output;
  if (size > 0) {
    const { u8 } = run.runtime.memory;
    const at = buffer >>> 0;
    u8.set(output.text, at);
    u8[at + output.text.length] = 0;
  }
  return output.length + 1;
}
