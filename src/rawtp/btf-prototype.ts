import { BpfError } from '../base/index.js';
import type { Btf, BtfParam } from '../btf/index.js';

/** Most arguments of a traced function or tracepoint (MAX_BPF_FUNC_ARGS). */
export const MAX_ARGS = 12;

/**
 * The arguments of a tracepoint as the kernel's BTF types them: the prototype behind `btf_trace_NAME`, without the
 * first argument, which is the callback's data. ESRCH where the BTF does not have it, EINVAL where it is no pointer to a
 * function or has too many arguments.
 */
export function tracepointPrototype(btf: Btf, name: string): readonly BtfParam[] {
  const what = `finding the types of tracepoint ${name}`;
  const typedef = btf.findByName(`btf_trace_${name}`, 'typedef');
  if (typedef === undefined) {
    throw new BpfError('ESRCH', what, { value: `btf_trace_${name}`, remedy: 'the kernel BTF has no such type' });
  }
  const pointer = btf.resolve(typedef.id);
  const proto = pointer.kind === 'ptr' ? btf.resolve(pointer.type) : pointer;
  if (proto.kind !== 'func_proto' || proto.params.length === 0) {
    throw new BpfError('EINVAL', what, {
      value: proto.kind,
      remedy: `btf_trace_${name} must be a pointer to a function whose first argument is the data`,
    });
  }
  const args = proto.params.slice(1);
  if (args.length > MAX_ARGS) {
    throw new BpfError('EINVAL', what, { value: args.length, remedy: `at most ${MAX_ARGS} arguments can be traced` });
  }
  return args;
}
