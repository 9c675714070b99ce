import { type Kfunc, kfunc } from './kfunc.js';

const NAMES = ['bpf_rcu_read_lock', 'bpf_rcu_read_unlock', 'bpf_preempt_disable', 'bpf_preempt_enable'] as const;

/**
 * Sections that a program marks. Nothing else runs on the machine while a program does, so that there is nothing to lock out, and
 * nothing to do.
 */
export const sectionKfuncs: readonly Kfunc[] = NAMES.map((name) =>
  kfunc({ prototype: `void ${name}(void)`, flags: [], args: [], ret: 'void', impl: () => 0 }),
);
