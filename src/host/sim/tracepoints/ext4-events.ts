import type { TraceEventDescriptor } from '../../index.js';
import { arg, type Filler, fieldEvent, type FieldSpec } from './event-fields.js';
import type { EventParts } from './event-parts.js';
import { deviceNumbers } from './print-formats.js';

const DEVICE = deviceNumbers('dev');
const INODE = '(unsigned long) REC->ino';

/** The disk file system, which has ext4's functions and events. */
export function ext4Events({ members }: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  /** Device and number of the inode that argument `index` leads to by `steps`. */
  const inode = (index: number, ...steps: readonly string[]): [FieldSpec, FieldSpec] => [
    ['dev_t dev', members.field(index, ...steps, 'inode.i_sb', 'super_block.s_dev')],
    ['ino_t ino', members.field(index, ...steps, 'inode.i_ino')],
  ];
  const event = (name: string, fmt: string, specs: readonly FieldSpec[]): TraceEventDescriptor =>
    fieldEvent('ext4', name, fmt, specs);
  const returned = (index: number): FieldSpec => ['int ret', arg(index)];
  const parentOf = (index: number, ...steps: readonly string[]): Filler =>
    members.field(index, ...steps, 'dentry.d_parent', 'dentry.d_inode', 'inode.i_ino');

  const truncate = (name: string): TraceEventDescriptor =>
    event(name, `"dev %d,%d ino %lu blocks %llu", ${DEVICE}, ${INODE}, REC->blocks`, [
      ...inode(0),
      ['__u64 blocks', members.field(0, 'inode.i_blocks')],
    ]);
  const page = (name: string): TraceEventDescriptor =>
    event(name, `"dev %d,%d ino %lu page_index %lu", ${DEVICE}, ${INODE}, (unsigned long) REC->index`, [
      ...inode(0, 'page.mapping', 'address_space.host'),
      ['unsigned long index', members.field(0, 'page.index')],
    ]);

  return {
    ext4_da_write_begin: event(
      'ext4_da_write_begin',
      `"dev %d,%d ino %lu pos %lld len %u", ${DEVICE}, ${INODE}, REC->pos, REC->len`,
      [...inode(0), ['loff_t pos', arg(1)], ['unsigned int len', arg(2)]],
    ),
    ext4_da_write_end: event(
      'ext4_da_write_end',
      `"dev %d,%d ino %lu pos %lld len %u copied %u", ${DEVICE}, ${INODE}, REC->pos, REC->len, REC->copied`,
      [...inode(0), ['loff_t pos', arg(1)], ['unsigned int len', arg(2)], ['unsigned int copied', arg(3)]],
    ),
    ext4_sync_file_enter: event(
      'ext4_sync_file_enter',
      `"dev %d,%d ino %lu parent %lu datasync %d ", ${DEVICE}, ${INODE}, (unsigned long) REC->parent, REC->datasync`,
      [...inode(0, 'file.f_inode'), ['ino_t parent', parentOf(0, 'file.f_path.dentry')], ['int datasync', arg(1)]],
    ),
    ext4_sync_file_exit: event('ext4_sync_file_exit', `"dev %d,%d ino %lu ret %d", ${DEVICE}, ${INODE}, REC->ret`, [
      ...inode(0),
      returned(1),
    ]),
    ext4_unlink_enter: event(
      'ext4_unlink_enter',
      `"dev %d,%d ino %lu size %lld parent %lu", ${DEVICE}, ${INODE}, REC->size, (unsigned long) REC->parent`,
      [
        ...inode(1, 'dentry.d_inode'),
        ['ino_t parent', members.field(0, 'inode.i_ino')],
        ['loff_t size', members.field(1, 'dentry.d_inode', 'inode.i_size')],
      ],
    ),
    ext4_unlink_exit: event('ext4_unlink_exit', `"dev %d,%d ino %lu ret %d", ${DEVICE}, ${INODE}, REC->ret`, [
      ...inode(0, 'dentry.d_inode'),
      returned(1),
    ]),
    ext4_request_inode: event(
      'ext4_request_inode',
      `"dev %d,%d dir %lu mode 0%o", ${DEVICE}, (unsigned long) REC->dir, REC->mode`,
      [
        ['dev_t dev', members.field(0, 'inode.i_sb', 'super_block.s_dev')],
        ['ino_t dir', members.field(0, 'inode.i_ino')],
        ['__u16 mode', arg(1)],
      ],
    ),
    ext4_allocate_inode: event(
      'ext4_allocate_inode',
      `"dev %d,%d ino %lu dir %lu mode 0%o", ${DEVICE}, ${INODE}, (unsigned long) REC->dir, REC->mode`,
      [...inode(0), ['ino_t dir', members.field(1, 'inode.i_ino')], ['__u16 mode', arg(2)]],
    ),
    ext4_evict_inode: event('ext4_evict_inode', `"dev %d,%d ino %lu nlink %d", ${DEVICE}, ${INODE}, REC->nlink`, [
      ...inode(0),
      ['int nlink', members.field(0, 'inode.i_nlink')],
    ]),
    ext4_truncate_enter: truncate('ext4_truncate_enter'),
    ext4_truncate_exit: truncate('ext4_truncate_exit'),
    ext4_readpage: page('ext4_readpage'),
    ext4_writepage: page('ext4_writepage'),
  };
}
