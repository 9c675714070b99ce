import { type Kfunc, kfunc } from './kfunc.js';
import { objectsOf } from './objects-of.js';

/**
 * Sections that a program marks. Nothing else runs on the machine while a program does, so that there is nothing to lock out; what they
 * begin and end is counted, for what may be called within only.
 */
export const sectionKfuncs: readonly Kfunc[] = [
  kfunc({
    prototype: 'void bpf_rcu_read_lock(void)',
    flags: [],
    args: [],
    ret: 'void',
    impl: (run) => {
      objectsOf(run).rcuSections++;
      return 0;
    },
  }),
  kfunc({
    prototype: 'void bpf_rcu_read_unlock(void)',
    flags: [],
    args: [],
    ret: 'void',
    impl: (run) => {
      const objects = objectsOf(run);
      objects.rcuSections = Math.max(objects.rcuSections - 1, 0);
      return 0;
    },
  }),
  kfunc({
    prototype: 'void bpf_preempt_disable(void)',
    flags: [],
    args: [],
    ret: 'void',
    impl: (run) => {
      objectsOf(run).preemptSections++;
      return 0;
    },
  }),
  kfunc({
    prototype: 'void bpf_preempt_enable(void)',
    flags: [],
    args: [],
    ret: 'void',
    impl: (run) => {
      const objects = objectsOf(run);
      objects.preemptSections = Math.max(objects.preemptSections - 1, 0);
      return 0;
    },
  }),
];
