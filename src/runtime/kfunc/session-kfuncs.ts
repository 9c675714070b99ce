import { BpfAttachType, BpfProgType } from '../../base/index.js';
import { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import { type Kfunc, kfunc } from './kfunc.js';

const availability = {
  flags: [],
  args: [],
  programTypes: [BpfProgType.BPF_PROG_TYPE_KPROBE],
  attachTypes: [BpfAttachType.BPF_TRACE_KPROBE_SESSION, BpfAttachType.BPF_TRACE_UPROBE_SESSION],
} as const;

/** What a program of a session asks, which runs at the entry and at the return of one call (kernel/trace/bpf_trace.c). */
export const sessionKfuncs: readonly Kfunc[] = [
  kfunc({
    prototype: 'bool bpf_session_is_return(void)',
    ...availability,
    ret: 'integer',
    impl: ({ session }) => (session?.isReturn === true ? 1 : 0),
  }),
  kfunc({
    prototype: 'u64 *bpf_session_cookie(void)',
    ...availability,
    ret: 'u64',
    impl: (run) => {
      const start = run.session?.cookie ?? 0;
      run.resultHi = start === 0 ? 0 : BPF_MEMORY_HI;
      if (start !== 0) run.extraRegions.push({ start, end: start + 8, stride: 0, size: 8, writable: true });
      return start;
    },
  }),
];
