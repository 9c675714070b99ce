import type { TraceEventDescriptor } from '../../index.js';
import { arg, constant, fieldEvent, text, value } from './event-fields.js';
import type { EventParts } from './event-parts.js';
import { pageFrame } from './page-frame.js';
import { GFP_NAMES, symbolic } from './print-formats.js';
import { readMember } from './struct-reader.js';

const PAGE_SHIFT = 12;
const ALLOC_FMT =
  '"call_site=%pS ptr=%p bytes_req=%zu bytes_alloc=%zu gfp_flags=%s node=%d accounted=%s", (void *)REC->call_site, ' +
  `REC->ptr, REC->bytes_req, REC->bytes_alloc, ${GFP_NAMES}, REC->node, `;
const PAGE = '(((struct page *)vmemmap_base) + (REC->pfn))';

/** The slab, the page allocator, and what address spaces hold. */
export function kmemEvents(parts: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  const { members, layout, currentTask } = parts;
  const frame = pageFrame(parts, 0);
  const taskMm = layout.offset('task_struct', 'mm');
  const task = new Int32Array(2);

  return {
    kmalloc: fieldEvent(
      'kmem',
      'kmalloc',
      `${ALLOC_FMT}(1 && (REC->gfp_flags & ( unsigned long)(( gfp_t)0x400000u))) ? "true" : "false"`,
      [
        ['unsigned long call_site', arg(0)],
        ['const void * ptr', arg(1)],
        ['size_t bytes_req', arg(2)],
        ['size_t bytes_alloc', arg(3)],
        ['unsigned long gfp_flags', arg(4)],
        ['int node', arg(5)],
      ],
    ),
    kfree: fieldEvent('kmem', 'kfree', '"call_site=%pS ptr=%p", (void *)REC->call_site, REC->ptr', [
      ['unsigned long call_site', arg(0)],
      ['const void * ptr', arg(1)],
    ]),
    kmem_cache_alloc: fieldEvent('kmem', 'kmem_cache_alloc', `${ALLOC_FMT}REC->accounted ? "true" : "false"`, [
      ['unsigned long call_site', arg(0)],
      ['const void * ptr', arg(1)],
      ['size_t bytes_req', members.field(2, 'kmem_cache.object_size')],
      ['size_t bytes_alloc', members.field(2, 'kmem_cache.size')],
      ['unsigned long gfp_flags', arg(3)],
      ['int node', arg(4)],
      ['bool accounted', constant(0)],
    ]),
    kmem_cache_free: fieldEvent(
      'kmem',
      'kmem_cache_free',
      '"call_site=%pS ptr=%p name=%s", (void *)REC->call_site, REC->ptr, __get_str(name)',
      [
        ['unsigned long call_site', arg(0)],
        ['const void * ptr', arg(1)],
        ['__data_loc char[] name', text(members.read(2, 'kmem_cache.name'))],
      ],
    ),
    mm_page_alloc: fieldEvent(
      'kmem',
      'mm_page_alloc',
      `"page=%p pfn=0x%lx order=%d migratetype=%d gfp_flags=%s", REC->pfn != -1UL ? ${PAGE} : ((void *)0), REC->pfn != -1UL ? REC->pfn : 0, REC->order, REC->migratetype, ${GFP_NAMES}`,
      [
        ['unsigned long pfn', frame],
        ['unsigned int order', arg(1)],
        ['unsigned long gfp_flags', arg(2)],
        ['int migratetype', arg(3)],
      ],
    ),
    mm_page_free: fieldEvent('kmem', 'mm_page_free', `"page=%p pfn=0x%lx order=%d", ${PAGE}, REC->pfn, REC->order`, [
      ['unsigned long pfn', frame],
      ['unsigned int order', arg(1)],
    ]),
    rss_stat: fieldEvent(
      'kmem',
      'rss_stat',
      `"mm_id=%u curr=%d type=%s size=%ldB", REC->mm_id, REC->curr, ${symbolic('member', [
        [0, 'MM_FILEPAGES'],
        [1, 'MM_ANONPAGES'],
        [2, 'MM_SWAPENTS'],
        [3, 'MM_SHMEMPAGES'],
      ])}, REC->size`,
      [
        // Linux hashes the address, so as not to give it away.
        ['unsigned int mm_id', value((args) => Math.imul(args[0] ^ (args[1] << 7), 0x61c8_8647))],
        [
          'unsigned int curr',
          value((args, memory) => {
            currentTask(task);
            const own = readMember(memory, { lo: task[0], hi: task[1] }, taskMm, 8);
            return own.lo === args[0] && own.hi === args[1] ? 1 : 0;
          }),
        ],
        ['int member', arg(1)],
        [
          'long size',
          value((args) => ({
            lo: args[4] << PAGE_SHIFT,
            hi: (args[5] << PAGE_SHIFT) | (args[4] >>> (32 - PAGE_SHIFT)),
          })),
        ],
      ],
    ),
  };
}
