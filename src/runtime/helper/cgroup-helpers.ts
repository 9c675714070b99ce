import { BpfFuncId, lo32, u64 } from '../../base/index.js';
import type { Host } from '../../host/index.js';
import type { Cgroup } from '../map/fd-array-map.js';
import type { Helper } from './helper.js';
import { fieldOffset, pointerField, u64Field } from './kernel-fields.js';
import { u64Result } from './u64-result.js';

const words = new Int32Array(2);

/** Which control group a task is in, by the default hierarchy (kernel/bpf/helpers.c), from the kernel's own structures. */
export const cgroupHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_get_current_cgroup_id,
    name: 'get_current_cgroup_id',
    args: [],
    ret: 'u64',
    gplOnly: false,
    impl: (run) => u64Result(run, idOf(run.runtime.host, currentCgroup(run.runtime.host))),
  },
  {
    id: BpfFuncId.BPF_FUNC_get_current_ancestor_cgroup_id,
    name: 'get_current_ancestor_cgroup_id',
    args: ['anything'],
    ret: 'u64',
    gplOnly: false,
    impl: (run, level) => {
      const { host } = run.runtime;
      const cgroup = currentCgroup(host);
      const isThere = cgroup !== 0n && level >= 0 && level <= levelOf(host, cgroup);
      return u64Result(run, isThere ? ancestorId(host, cgroup, level) : 0n);
    },
  },
];

/**
 * The control group of the host that has this id, which is the number of its directory's inode, for
 * `CgroupArrayMap.setCgroup`. An id that no group has holds no task.
 */
export function cgroupById(host: Host, id: bigint): Cgroup {
  return {
    holdsCurrent: () => {
      const cgroup = currentCgroup(host);
      if (cgroup === 0n) return false;
      for (let i = levelOf(host, cgroup); i >= 0; i--) if (ancestorId(host, cgroup, i) === id) return true;
      return false;
    },
  };
}

/** Address of the current task's struct cgroup; 0 on kernels without. */
function currentCgroup(host: Host): bigint {
  host.tasks.current(words);
  const set = pointerField(host, 'task_struct', 'cgroups', u64(words[0], words[1]));
  return set === 0n ? 0n : pointerField(host, 'css_set', 'dfl_cgrp', set);
}

function idOf(host: Host, cgroup: bigint): bigint {
  const node = cgroup === 0n ? 0n : pointerField(host, 'cgroup', 'kn', cgroup);
  return node === 0n ? 0n : u64Field(host, 'kernfs_node', 'id', node);
}

/** Steps from the root, which is 0. */
function levelOf(host: Host, cgroup: bigint): number {
  return lo32(u64Field(host, 'cgroup', 'level', cgroup));
}

/** At a level that the group has. Before 6.1 groups kept ids of their ancestors, since then the ancestors. */
function ancestorId(host: Host, cgroup: bigint, level: number): bigint {
  const { pointerSize } = host.arch;
  if (fieldOffset(host, 'cgroup', 'ancestors') < 0)
    return u64Field(host, 'cgroup', 'ancestor_ids', cgroup + BigInt(8 * level));
  return idOf(host, pointerField(host, 'cgroup', 'ancestors', cgroup + BigInt(pointerSize * level)));
}
