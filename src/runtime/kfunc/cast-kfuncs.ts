import { type Kfunc, kfunc } from './kfunc.js';
import { KERNEL_CONTEXT_TYPES } from './program-types.js';

/** Casts, which only a verifier has something to do for: pointers stay what they are. */
export const castKfuncs: readonly Kfunc[] = [
  kfunc({
    prototype: 'void *bpf_cast_to_kern_ctx(void *obj)',
    flags: ['KF_FASTCALL'],
    args: ['ctx'],
    ret: 'u64',
    // The others' contexts are made up for programs, and what they stand for is not in memory.
    programTypes: KERNEL_CONTEXT_TYPES,
    impl: (run, lo, hi) => {
      run.resultHi = hi;
      return lo;
    },
  }),
  kfunc({
    prototype: 'void *bpf_rdonly_cast(const void *obj__ign, u32 btf_id__k)',
    flags: ['KF_FASTCALL'],
    args: ['anything', 'anything'],
    ret: 'u64',
    impl: (run, lo, hi) => {
      run.resultHi = hi;
      return lo;
    },
  }),
];
