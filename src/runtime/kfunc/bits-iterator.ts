import { Errno } from '../../base/index.js';
import { readHost } from '../helper/host-read.js';
import { destroyKfunc, nextItem, openIterator } from './iterator-items.js';
import { type Kfunc, kfunc } from './kfunc.js';

const iterator = { name: 'bits', size: 16 } as const;
/** BITS_ITER_NR_WORDS_MAX */
const MAX_WORDS = 511;
/** Where the struct holds the number of the bit that was shown last. */
const SHOWN = 12;

/** The bits that are set in an array of u64 (kernel/bpf/helpers.c). */
export const bitsIteratorKfuncs: readonly Kfunc[] = [
  kfunc({
    prototype: 'int bpf_iter_bits_new(struct bpf_iter_bits *it, const u64 *unsafe_ptr__ign, u32 nr_words)',
    flags: ['KF_ITER_NEW'],
    args: ['iter_uninit', 'anything', 'anything'],
    ret: 'integer',
    iterator,
    impl: (run, it, _itHi, lo, hi, words) => {
      run.runtime.memory.u8.fill(0, it >>> 0, (it >>> 0) + iterator.size);
      const bits = new Uint8Array(8 * Math.min(words >>> 0, MAX_WORDS));
      const refusal =
        (lo | hi) === 0 || words === 0
          ? -Errno.EINVAL
          : words >>> 0 > MAX_WORDS
            ? -Errno.E2BIG
            : readHost(run, 'kernel', bits, 0, bits.length, lo, hi) && -Errno.EFAULT;
      const items = refusal === 0 ? setBits(bits) : [].values();
      openIterator(run, it, iterator, items);
      return refusal;
    },
  }),
  kfunc({
    prototype: 'int *bpf_iter_bits_next(struct bpf_iter_bits *it)',
    flags: ['KF_ITER_NEXT', 'KF_RET_NULL'],
    args: ['iter'],
    ret: 'mem_or_null',
    iterator,
    impl: (run, it) => {
      const bit = nextItem(run, it);
      if (bit === undefined) return 0;
      const at = (it >>> 0) + SHOWN;
      run.runtime.memory.view.setInt32(at, Number(bit), true);
      return at;
    },
  }),
  destroyKfunc(iterator),
];

function* setBits(bits: Uint8Array): Generator<bigint, void, undefined> {
  for (let bit = 0; bit < 8 * bits.length; bit++) if ((bits[bit >> 3] >> (bit & 7)) & 1) yield BigInt(bit);
}
