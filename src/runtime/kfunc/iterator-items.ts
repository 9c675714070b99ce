import type { BpfRunCtx } from '../run-context.js';
import { type Kfunc, type KfuncIterator, kfunc } from './kfunc.js';
import { objectsOf } from './objects-of.js';

/** Makes the bytes at `it` an iterator, over `items` where the struct itself does not say what is left. */
export function openIterator(run: BpfRunCtx, it: number, { name }: KfuncIterator, items?: Iterator<bigint>): void {
  objectsOf(run).iterators.set(it >>> 0, items === undefined ? { name } : { name, items });
}

/** The next item of the iterator at `it`, undefined at its end. */
export function nextItem(run: BpfRunCtx, it: number): bigint | undefined {
  const next = objectsOf(run)
    .iterators.get(it >>> 0)
    ?.items?.next();
  return next === undefined || next.done === true ? undefined : next.value;
}

/** bpf_iter_NAME_destroy(); `clear` does what else there is to do to the struct. */
export function destroyKfunc(
  iterator: KfuncIterator,
  clear: (run: BpfRunCtx, it: number) => void = () => undefined,
): Kfunc {
  return kfunc({
    prototype: `void bpf_iter_${iterator.name}_destroy(struct bpf_iter_${iterator.name} *it)`,
    flags: ['KF_ITER_DESTROY'],
    args: ['iter'],
    ret: 'void',
    iterator,
    impl: (run, it) => {
      objectsOf(run).iterators.delete(it >>> 0);
      clear(run, it);
      return 0;
    },
  });
}
