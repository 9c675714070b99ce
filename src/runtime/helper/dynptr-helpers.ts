import { BpfFuncId, Errno } from '../../base/index.js';
import { DYNPTR_MAX, DynptrType, type Dynptr, NULL_DYNPTR, readDynptr, setDynptr } from '../dynptr.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper } from './helper.js';
import { areaOf, reserveRecord, ringOfClosed } from './ringbuf-helpers.js';

/**
 * bpf_dynptr_* and the ring buffer records behind dynamic pointers (kernel/bpf/helpers.c, ringbuf.c of 6.18). Sizes and places
 * are u32 there: what a program has above them is dropped.
 */
export const dynptrHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_dynptr_from_mem,
    name: 'dynptr_from_mem',
    args: ['map_mem', 'const_size_or_zero', 'anything', 'dynptr_uninit'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, data, _dataHi, size, _sizeHi, flags, flagsHi, at) => {
      const error = size > DYNPTR_MAX ? -Errno.E2BIG : (flags | flagsHi) !== 0 ? -Errno.EINVAL : 0;
      const made = { type: DynptrType.local, data: data >>> 0, size };
      setDynptr(run.runtime.memory, at >>> 0, error === 0 ? made : NULL_DYNPTR);
      return error;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_dynptr_read,
    name: 'dynptr_read',
    args: ['mem_uninit', 'const_size_or_zero', 'dynptr', 'anything', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, to, _toHi, size, _sizeHi, at, _atHi, offset, _offsetHi, flags, flagsHi) => {
      const from = part(run, at, offset, size, (flags | flagsHi) !== 0);
      if (from >= 0) run.runtime.memory.u8.copyWithin(to >>> 0, from, from + size);
      return Math.min(from, 0);
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_dynptr_write,
    name: 'dynptr_write',
    args: ['dynptr', 'anything', 'mem', 'const_size_or_zero', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, at, _atHi, offset, _offsetHi, from, _fromHi, size, _sizeHi, flags, flagsHi) => {
      const to = part(run, at, offset, size, false);
      if (to < 0) return to;
      if ((flags | flagsHi) !== 0) return -Errno.EINVAL;
      run.runtime.memory.u8.copyWithin(to, from >>> 0, (from >>> 0) + size);
      return 0;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_dynptr_data,
    name: 'dynptr_data',
    args: ['dynptr', 'anything', 'const_size_or_zero'],
    ret: 'mem_or_null',
    gplOnly: false,
    impl: (run, at, _atHi, offset, _offsetHi, size) => Math.max(part(run, at, offset, size, false), 0),
  },
  {
    id: BpfFuncId.BPF_FUNC_ringbuf_reserve_dynptr,
    name: 'ringbuf_reserve_dynptr',
    args: ['const_map_ptr', 'anything', 'anything', 'dynptr_uninit'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, map, _mapHi, sizeLo, _sizeHi, flags, flagsHi, at) => {
      const size = sizeLo >>> 0;
      const made = (flags | flagsHi) === 0 ? reserved(run, map, size) : -Errno.EINVAL;
      setDynptr(run.runtime.memory, at >>> 0, typeof made === 'number' ? NULL_DYNPTR : made);
      return typeof made === 'number' ? made : 0;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_ringbuf_submit_dynptr,
    name: 'ringbuf_submit_dynptr',
    args: ['dynptr_ringbuf', 'anything'],
    ret: 'void',
    gplOnly: false,
    impl: (run, at, _atHi, flags) => {
      const data = released(run, at);
      ringOfClosed(run, data)?.submit(data, flags);
      return 0;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_ringbuf_discard_dynptr,
    name: 'ringbuf_discard_dynptr',
    args: ['dynptr_ringbuf', 'anything'],
    ret: 'void',
    gplOnly: false,
    impl: (run, at, _atHi, flags) => {
      const data = released(run, at);
      ringOfClosed(run, data)?.discard(data, flags);
      return 0;
    },
  },
];

function reserved(run: BpfRunCtx, map: number, size: number): Dynptr | number {
  if (size > DYNPTR_MAX) return -Errno.E2BIG;
  const data = reserveRecord(run, areaOf(run, map), size, 0);
  return data === 0 ? -Errno.EINVAL : { type: DynptrType.ringbuf, data, size };
}

/** The record that the dynamic pointer at `at` has been of; 0 for none. */
function released(run: BpfRunCtx, at: number): number {
  const { memory } = run.runtime;
  const { data } = readDynptr(memory, at >>> 0) ?? NULL_DYNPTR;
  setDynptr(memory, at >>> 0, NULL_DYNPTR);
  return data;
}

/** Where the `size` bytes at `offset` of what the dynamic pointer at `at` refers to are, or -errno. */
function part(run: BpfRunCtx, at: number, offset: number, size: number, flagged: boolean): number {
  const whole = readDynptr(run.runtime.memory, at >>> 0) ?? NULL_DYNPTR;
  if (whole.data === 0 || flagged) return -Errno.EINVAL;
  return size > whole.size || offset >>> 0 > whole.size - size ? -Errno.E2BIG : whole.data + (offset >>> 0);
}
