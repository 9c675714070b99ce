import { Errno } from '../../base/index.js';
import type { BpfRunCtx } from '../run-context.js';
import { destroyKfunc, openIterator } from './iterator-items.js';
import { type Kfunc, kfunc } from './kfunc.js';

/** BPF_MAX_LOOPS */
const MAX_LOOPS = 1 << 23;
const iterator = { name: 'num', size: 8 } as const;

/** bpf_for() and bpf_repeat(): the struct holds the number that was shown last, and the end (kernel/bpf/bpf_iter.c). */
export const numIteratorKfuncs: readonly Kfunc[] = [
  kfunc({
    prototype: 'int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end)',
    flags: ['KF_ITER_NEW'],
    args: ['iter_uninit', 'anything', 'anything'],
    ret: 'integer',
    iterator,
    impl: (run, it, _itHi, start, _startHi, end) => {
      openIterator(run, it, iterator);
      const refusal = start > end ? -Errno.EINVAL : end - start > MAX_LOOPS ? -Errno.E2BIG : 0;
      put(run, it, refusal === 0 ? start - 1 : 0, refusal === 0 ? end : 0);
      return refusal;
    },
  }),
  kfunc({
    prototype: 'int *bpf_iter_num_next(struct bpf_iter_num *it)',
    flags: ['KF_ITER_NEXT', 'KF_RET_NULL'],
    args: ['iter'],
    ret: 'mem_or_null',
    iterator,
    impl: (run, it) => {
      const { i32 } = run.runtime.memory;
      const at = it >>> 2;
      // The number before the first may have wrapped around.
      const next = (i32[at] + 1) | 0;
      if (next >= i32[at + 1]) {
        put(run, it, 0, 0);
        return 0;
      }
      i32[at] = next;
      return it;
    },
  }),
  destroyKfunc(iterator, (run, it) => put(run, it, 0, 0)),
];

function put({ runtime: { memory } }: BpfRunCtx, it: number, shown: number, end: number): void {
  memory.i32[it >>> 2] = shown;
  memory.i32[(it >>> 2) + 1] = end;
}
