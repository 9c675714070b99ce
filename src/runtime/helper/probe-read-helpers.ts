import { BpfFuncId, Errno } from '../../base/index.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper, HelperImpl } from './helper.js';
import { readHost, readHostString, type AddressSpace } from './host-read.js';
import { TRACING_TYPES } from './program-type-sets.js';

/** Where an address is read from: fixed by the helper, or by which half it lies in. */
type SpaceOf = (run: BpfRunCtx, lo: number, hi: number) => AddressSpace;

const kernel: SpaceOf = () => 'kernel';
const user: SpaceOf = () => 'user';
const eitherHalf: SpaceOf = (run, lo, hi) => (run.runtime.host.memory.isUser(lo, hi) ? 'user' : 'kernel');

function readBytes(spaceOf: SpaceOf): HelperImpl {
  return (run, dst, _dstHi, size, _sizeHi, lo, hi) => {
    const space = spaceOf(run, lo, hi);
    if (size === 0 && space === 'user') return emptyUserRead(run, lo, hi);
    return readHost(run, space, run.runtime.memory.u8, dst >>> 0, size, lo, hi);
  };
}

/** copy_from_user_nofault() asks access_ok() also where there is nothing to read. */
function emptyUserRead(run: BpfRunCtx, lo: number, hi: number): number {
  return run.runtime.host.memory.isUser(lo, hi) ? 0 : -Errno.EFAULT;
}

function readString(spaceOf: SpaceOf): HelperImpl {
  return (run, dst, _dstHi, size, _sizeHi, lo, hi) =>
    readHostString(run, spaceOf(run, lo, hi), run.runtime.memory.u8, dst >>> 0, size, lo, hi);
}

function probeRead(id: number, name: string, impl: HelperImpl, programTypes?: readonly number[]): Helper {
  const args = ['mem_uninit', 'const_size_or_zero', 'anything'] as const;
  const row: Helper = { id, name, args, ret: 'integer', gplOnly: true, impl };
  return programTypes === undefined ? row : { ...row, programTypes };
}

/** bpf_probe_read and its kin: reads of the host's memory, in which a fault is an answer. */
export const probeReadHelpers: readonly Helper[] = [
  probeRead(BpfFuncId.BPF_FUNC_probe_read, 'probe_read', readBytes(eitherHalf), TRACING_TYPES),
  probeRead(BpfFuncId.BPF_FUNC_probe_read_str, 'probe_read_str', readString(eitherHalf), TRACING_TYPES),
  probeRead(BpfFuncId.BPF_FUNC_probe_read_kernel, 'probe_read_kernel', readBytes(kernel)),
  probeRead(BpfFuncId.BPF_FUNC_probe_read_kernel_str, 'probe_read_kernel_str', readString(kernel)),
  probeRead(BpfFuncId.BPF_FUNC_probe_read_user, 'probe_read_user', readBytes(user)),
  probeRead(BpfFuncId.BPF_FUNC_probe_read_user_str, 'probe_read_user_str', readString(user)),
  {
    id: BpfFuncId.BPF_FUNC_probe_write_user,
    name: 'probe_write_user',
    args: ['anything', 'mem', 'const_size'],
    ret: 'integer',
    gplOnly: true,
    programTypes: TRACING_TYPES,
    impl: (run, lo, hi, src, _srcHi, size) => {
      const { host, memory } = run.runtime;
      return host.memory.writeUser(lo, hi, memory.u8, src >>> 0, size) ? 0 : -Errno.EFAULT;
    },
  },
];
