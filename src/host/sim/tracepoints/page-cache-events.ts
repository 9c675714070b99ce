import type { TraceEventDescriptor } from '../../index.js';
import { chars, constant, fieldEvent, type FieldSpec, arg, value } from './event-fields.js';
import type { EventParts } from './event-parts.js';
import { pageFrame } from './page-frame.js';
import { deviceNumbers, symbolic } from './print-formats.js';

/** Pages that files get and lose, and their way back to the disk. */
export function pageCacheEvents(parts: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  const { members } = parts;

  const cached = (name: string): TraceEventDescriptor =>
    fieldEvent(
      'filemap',
      name,
      `"dev %d:%d ino %lx pfn=0x%lx ofs=%lu order=%u", ${deviceNumbers('s_dev')}, REC->i_ino, REC->pfn, REC->index << 12, REC->order`,
      [
        ['unsigned long pfn', pageFrame(parts, 0)],
        ['unsigned long i_ino', members.field(0, 'folio.mapping', 'address_space.host', 'inode.i_ino')],
        ['unsigned long index', members.field(0, 'folio.index')],
        ['dev_t s_dev', members.field(0, 'folio.mapping', 'address_space.host', 'inode.i_sb', 'super_block.s_dev')],
        ['unsigned char order', constant(0)],
      ],
    );

  const folio = (name: string): TraceEventDescriptor =>
    fieldEvent('writeback', name, '"bdi %s: ino=%lu index=%lu", REC->name, (unsigned long)REC->ino, REC->index', [
      [
        'char name[32]',
        chars(members.place(1, 'address_space.host', 'inode.i_sb', 'super_block.s_bdi', 'backing_dev_info.dev_name')),
      ],
      ['ino_t ino', members.field(1, 'address_space.host', 'inode.i_ino')],
      ['unsigned long index', members.field(0, 'folio.index')],
    ]);

  const workFields: readonly FieldSpec[] = [
    ['char name[32]', chars(members.place(0, 'bdi_writeback.bdi', 'backing_dev_info.dev_name'))],
    ['long nr_pages', members.field(1, 'wb_writeback_work.nr_pages')],
    ['dev_t sb_dev', members.field(1, 'wb_writeback_work.sb', 'super_block.s_dev')],
    ['int sync_mode', members.field(1, 'wb_writeback_work.sync_mode')],
    ['int for_kupdate', members.field(1, 'wb_writeback_work.for_kupdate')],
    ['int range_cyclic', members.field(1, 'wb_writeback_work.range_cyclic')],
    ['int for_background', members.field(1, 'wb_writeback_work.for_background')],
    ['int reason', members.field(1, 'wb_writeback_work.reason')],
    ['ino_t cgroup_ino', value(() => 1)],
  ];
  const work = (name: string): TraceEventDescriptor =>
    fieldEvent(
      'writeback',
      name,
      `"bdi %s: sb_dev %d:%d nr_pages=%ld sync_mode=%d kupdate=%d range_cyclic=%d background=%d reason=%s cgroup_ino=%lu", REC->name, ${deviceNumbers('sb_dev')}, REC->nr_pages, REC->sync_mode, REC->for_kupdate, REC->range_cyclic, REC->for_background, ${symbolic('reason', REASONS)}, (unsigned long)REC->cgroup_ino`,
      workFields,
    );

  return {
    mm_filemap_add_to_page_cache: cached('mm_filemap_add_to_page_cache'),
    mm_filemap_delete_from_page_cache: cached('mm_filemap_delete_from_page_cache'),
    writeback_dirty_folio: folio('writeback_dirty_folio'),
    folio_wait_writeback: folio('folio_wait_writeback'),
    writeback_start: work('writeback_start'),
    writeback_written: work('writeback_written'),
    writeback_pages_written: fieldEvent('writeback', 'writeback_pages_written', '"%ld", REC->pages', [
      ['long pages', arg(0)],
    ]),
  };
}

const REASONS: readonly (readonly [number, string])[] = [
  [0, 'background'],
  [1, 'vmscan'],
  [2, 'sync'],
  [3, 'periodic'],
  [4, 'laptop_timer'],
  [5, 'fs_free_space'],
  [6, 'forker_thread'],
  [7, 'foreign_flush'],
];
