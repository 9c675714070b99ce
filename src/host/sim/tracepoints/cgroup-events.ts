import type { TraceEventDescriptor } from '../../index.js';
import { fieldEvent, text } from './event-fields.js';
import type { EventParts } from './event-parts.js';

/** Control groups that come and go, and tasks that are put into them. */
export function cgroupEvents({ members }: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  const root = members.field(0, 'cgroup.root', 'cgroup_root.hierarchy_id');
  const level = members.field(0, 'cgroup.level');
  const id = members.field(0, 'cgroup.kn', 'kernfs_node.id');
  const path = text((args) => ({ lo: args[2], hi: args[3] }));
  const ofGroup = (name: string): TraceEventDescriptor =>
    fieldEvent('cgroup', name, '"root=%d id=%llu level=%d path=%s", REC->root, REC->id, REC->level, __get_str(path)', [
      ['int root', root],
      ['int level', level],
      ['u64 id', id],
      ['__data_loc char[] path', path],
    ]);
  return {
    cgroup_mkdir: ofGroup('cgroup_mkdir'),
    cgroup_rmdir: ofGroup('cgroup_rmdir'),
    cgroup_attach_task: fieldEvent(
      'cgroup',
      'cgroup_attach_task',
      '"dst_root=%d dst_id=%llu dst_level=%d dst_path=%s pid=%d comm=%s", REC->dst_root, REC->dst_id, REC->dst_level, __get_str(dst_path), REC->pid, __get_str(comm)',
      [
        ['int dst_root', root],
        ['int dst_level', level],
        ['u64 dst_id', id],
        ['int pid', members.field(2, 'task_struct.pid')],
        ['__data_loc char[] dst_path', path],
        ['__data_loc char[] comm', text(members.place(2, 'task_struct.comm'))],
      ],
    ),
  };
}
