import type { TraceEventDescriptor } from '../../index.js';
import { arg, constant, fieldEvent } from './event-fields.js';
import type { EventParts } from './event-parts.js';
import { GFP_NAMES } from './print-formats.js';

const RECLAIM_WB_FILE = 2;
const RECLAIM_WB_ASYNC = 8;

/** Memory that is short, and how it is got back. */
export function vmscanEvents({ members }: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  const stat = (name: string) => members.field(3, `reclaim_stat.${name}`);
  return {
    mm_vmscan_kswapd_sleep: fieldEvent('vmscan', 'mm_vmscan_kswapd_sleep', '"nid=%d", REC->nid', [['int nid', arg(0)]]),
    mm_vmscan_kswapd_wake: fieldEvent('vmscan', 'mm_vmscan_kswapd_wake', '"nid=%d order=%d", REC->nid, REC->order', [
      ['int nid', arg(0)],
      ['int zid', arg(1)],
      ['int order', arg(2)],
    ]),
    mm_vmscan_wakeup_kswapd: fieldEvent(
      'vmscan',
      'mm_vmscan_wakeup_kswapd',
      `"nid=%d order=%d gfp_flags=%s", REC->nid, REC->order, ${GFP_NAMES}`,
      [
        ['int nid', arg(0)],
        ['int zid', arg(1)],
        ['int order', arg(2)],
        ['unsigned long gfp_flags', arg(3)],
      ],
    ),
    mm_vmscan_direct_reclaim_begin: fieldEvent(
      'vmscan',
      'mm_vmscan_direct_reclaim_begin',
      `"order=%d gfp_flags=%s", REC->order, ${GFP_NAMES}`,
      [
        ['int order', arg(0)],
        ['unsigned long gfp_flags', arg(1)],
      ],
    ),
    mm_vmscan_direct_reclaim_end: fieldEvent(
      'vmscan',
      'mm_vmscan_direct_reclaim_end',
      '"nr_reclaimed=%lu", REC->nr_reclaimed',
      [['unsigned long nr_reclaimed', arg(0)]],
    ),
    mm_vmscan_lru_shrink_inactive: fieldEvent('vmscan', 'mm_vmscan_lru_shrink_inactive', SHRINK_FMT, [
      ['int nid', arg(0)],
      ['unsigned long nr_scanned', arg(1)],
      ['unsigned long nr_reclaimed', arg(2)],
      ['unsigned long nr_dirty', stat('nr_dirty')],
      ['unsigned long nr_writeback', stat('nr_writeback')],
      ['unsigned long nr_congested', stat('nr_congested')],
      ['unsigned long nr_immediate', stat('nr_immediate')],
      ['unsigned int nr_activate0', constant(0)],
      ['unsigned int nr_activate1', stat('nr_activate1')],
      ['unsigned long nr_ref_keep', stat('nr_ref_keep')],
      ['unsigned long nr_unmap_fail', stat('nr_unmap_fail')],
      ['int priority', arg(4)],
      ['int reclaim_flags', constant(RECLAIM_WB_FILE | RECLAIM_WB_ASYNC)],
    ]),
  };
}

const SHRINK_FMT =
  '"nid=%d nr_scanned=%ld nr_reclaimed=%ld nr_dirty=%ld nr_writeback=%ld nr_congested=%ld nr_immediate=%ld nr_activate_anon=%d nr_activate_file=%d nr_ref_keep=%ld nr_unmap_fail=%ld priority=%d flags=%s", ' +
  'REC->nid, REC->nr_scanned, REC->nr_reclaimed, REC->nr_dirty, REC->nr_writeback, REC->nr_congested, REC->nr_immediate, ' +
  'REC->nr_activate0, REC->nr_activate1, REC->nr_ref_keep, REC->nr_unmap_fail, REC->priority, ' +
  '(REC->reclaim_flags) ? __print_flags(REC->reclaim_flags, "|", {0x0001u, "RECLAIM_WB_ANON"}, {0x0002u, "RECLAIM_WB_FILE"}, {0x0010u, "RECLAIM_WB_MIXED"}, {0x0004u, "RECLAIM_WB_SYNC"}, {0x0008u, "RECLAIM_WB_ASYNC"} ) : "RECLAIM_WB_NONE"';
