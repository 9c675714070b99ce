import { Errno } from '../../base/index.js';
import { readHostString } from '../helper/host-read.js';
import { type Kfunc, kfunc } from './kfunc.js';

/** BPF_F_PAD_ZEROS */
const PAD_ZEROS = 1;

/** Memory of programs, in which pages may have to be brought in: for programs that can wait for it. */
export const userKfuncs: readonly Kfunc[] = [
  kfunc({
    prototype: 'int bpf_copy_from_user_str(void *dst, u32 dst__sz, const void *unsafe_ptr__ign, u64 flags)',
    flags: ['KF_SLEEPABLE'],
    args: ['mem_uninit', 'const_size_or_zero', 'anything', 'anything'],
    ret: 'integer',
    impl: (run, dst, _dstHi, size, _sizeHi, lo, hi, flags, flagsHi) => {
      if ((flags & ~PAD_ZEROS) !== 0 || flagsHi !== 0) return -Errno.EINVAL;
      if (size === 0) return 0;
      const { u8 } = run.runtime.memory;
      const at = dst >>> 0;
      const isPadded = flags === PAD_ZEROS;
      const before = isPadded ? undefined : u8.slice(at, at + size);
      const copied = readHostString(run, 'user', u8, at, size, lo, hi);
      if (copied < 0 && before !== undefined) u8.set(before, at);
      else if (isPadded) u8.fill(0, at + Math.max(copied, 0), at + size);
      return copied;
    },
  }),
];
