import type { TraceEventDescriptor } from '../../index.js';
import { arg, constant, fieldEvent, text, value } from './event-fields.js';
import type { EventParts } from './event-parts.js';
import { readMember } from './struct-reader.js';

const KB_PER_PAGE_SHIFT = 2;
/** Places of the counters in `mm_rss_stat`. */
const FILE_PAGES = 0;
const ANON_PAGES = 1;

/** Processes that are killed for their memory. */
export function oomEvents({ members, layout }: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  const mm = members.place(0, 'task_struct.mm', 'mm_struct.total_vm');
  const rss = members.place(0, 'task_struct.mm', 'mm_struct.rss_stat');
  const { size } = layout.member('mm_struct', 'total_vm');
  const pages = (of: typeof mm, index: number) =>
    value((args, memory) => readMember(memory, of(args, memory), index * size, size).lo << KB_PER_PAGE_SHIFT);
  return {
    mark_victim: fieldEvent(
      'oom',
      'mark_victim',
      '"pid=%d comm=%s total-vm=%lukB anon-rss=%lukB file-rss:%lukB shmem-rss:%lukB uid=%u pgtables=%lukB oom_score_adj=%hd", REC->pid, __get_str(comm), REC->total_vm, REC->anon_rss, REC->file_rss, REC->shmem_rss, REC->uid, REC->pgtables, REC->oom_score_adj',
      [
        ['int pid', members.field(0, 'task_struct.pid')],
        ['__data_loc char[] comm', text(members.place(0, 'task_struct.comm'))],
        ['unsigned long total_vm', pages(mm, 0)],
        ['unsigned long anon_rss', pages(rss, ANON_PAGES)],
        ['unsigned long file_rss', pages(rss, FILE_PAGES)],
        ['unsigned long shmem_rss', constant(0)],
        ['uid_t uid', arg(1)],
        ['unsigned long pgtables', constant(0)],
        ['short oom_score_adj', members.field(0, 'task_struct.signal', 'signal_struct.oom_score_adj')],
      ],
    ),
  };
}
