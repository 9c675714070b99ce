import { BpfError } from '../../../base/index.js';
import type { Btf } from '../../../btf/index.js';

/** Where the kernel that is looked at keeps what helpers ask of tasks: offsets in bytes, from its own types. */
export interface TaskLayout {
  readonly pid: number;
  readonly tgid: number;
  readonly comm: number;
  readonly exitState: number;
  readonly groupLeader: number;
  /** `struct list_head` that links all processes. */
  readonly tasks: number;
  readonly cred: number;
  readonly mm: number;
  readonly credUid: number;
  readonly credGid: number;
  readonly mmPgd: number;
}

/** ENOENT names the member that the kernel's types lack. */
export function taskLayout(btf: Btf): TaskLayout {
  const at = (type: string, path: string): number => offsetIn(btf, type, path);
  return {
    pid: at('task_struct', 'pid'),
    tgid: at('task_struct', 'tgid'),
    comm: at('task_struct', 'comm'),
    exitState: at('task_struct', 'exit_state'),
    groupLeader: at('task_struct', 'group_leader'),
    tasks: at('task_struct', 'tasks'),
    cred: at('task_struct', 'cred'),
    mm: at('task_struct', 'mm'),
    credUid: at('cred', 'uid.val'),
    credGid: at('cred', 'gid.val'),
    mmPgd: at('mm_struct', 'pgd'),
  };
}

function offsetIn(btf: Btf, type: string, path: string): number {
  const struct = btf.findByName(type, 'struct');
  const member = struct === undefined ? undefined : btf.member(struct.id, path);
  if (member === undefined || member.bitOffset % 8 !== 0) {
    throw new BpfError('ENOENT', "the kernel's types lack what its tasks are read by", {
      value: `struct ${type}.${path}`,
      remedy: 'is this the BTF of the kernel that runs?',
    });
  }
  return member.bitOffset / 8;
}
