import { BpfFuncId, BpfRingbuf, Errno } from '../../base/index.js';
import { RingBufferMap } from '../map/ring-buffer-map.js';
import type { RingBufferArea } from '../ring/ring-buffer-area.js';
import { RING_PAGE, RingLayout } from '../ring/ring-buffer-layout.js';
import { closeRecord, openRecord, openRecords } from '../open-records.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper } from './helper.js';
import { mapOf } from './map-argument.js';
import { u64Result } from './u64-result.js';

const OUTPUT_FLAGS = BpfRingbuf.BPF_RB_NO_WAKEUP | BpfRingbuf.BPF_RB_FORCE_WAKEUP;

/** bpf_ringbuf_*: producers of BPF_MAP_TYPE_RINGBUF. */
export const ringbufHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_ringbuf_output,
    name: 'ringbuf_output',
    args: ['const_map_ptr', 'mem', 'const_size_or_zero', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, map, _mapHi, data, _dataHi, size, sizeHi, flags, flagsHi) => {
      const area = areaOf(run, map);
      if ((flags & ~OUTPUT_FLAGS) !== 0 || flagsHi !== 0 || area === undefined) return -Errno.EINVAL;
      return area.output(data >>> 0, size, sizeHi, flags) ? 0 : -Errno.EAGAIN;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_ringbuf_reserve,
    name: 'ringbuf_reserve',
    args: ['const_map_ptr', 'const_size_or_zero', 'anything'],
    ret: 'mem_or_null',
    gplOnly: false,
    impl: (run, map, _mapHi, size, sizeHi, flags, flagsHi) =>
      (flags | flagsHi) === 0 ? reserveRecord(run, areaOf(run, map), size, sizeHi) : 0,
  },
  {
    id: BpfFuncId.BPF_FUNC_ringbuf_submit,
    name: 'ringbuf_submit',
    args: ['ringbuf_mem', 'anything'],
    ret: 'void',
    gplOnly: false,
    impl: (run, record, _recordHi, flags) => {
      ringOfClosed(run, record >>> 0)?.submit(record >>> 0, flags);
      return 0;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_ringbuf_discard,
    name: 'ringbuf_discard',
    args: ['ringbuf_mem', 'anything'],
    ret: 'void',
    gplOnly: false,
    impl: (run, record, _recordHi, flags) => {
      ringOfClosed(run, record >>> 0)?.discard(record >>> 0, flags);
      return 0;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_ringbuf_query,
    name: 'ringbuf_query',
    args: ['const_map_ptr', 'anything'],
    ret: 'u64',
    gplOnly: false,
    impl: (run, map, _mapHi, selector, selectorHi) => {
      const answer = selectorHi === 0 ? (areaOf(run, map)?.query(selector) ?? 0n) : 0n;
      return u64Result(run, answer);
    },
  },
];

/**
 * Discards what a run has reserved and neither submitted nor discarded: a verified program cannot leave
 * records open, one that is stopped in mid-run can, and an open record would block its ring for good.
 */
export function discardReservations(run: BpfRunCtx): void {
  for (const record of openRecords(run)) ringOfClosed(run, record)?.discard(record, 0);
}

/** Data of a record of `size` bytes that the run has open from now on, or 0. */
export function reserveRecord(run: BpfRunCtx, area: RingBufferArea | undefined, size: number, sizeHi: number): number {
  const record = area?.reserve(size, sizeHi) ?? 0;
  if (record !== 0) openRecord(run, record, size >>> 0);
  return record;
}

/** Closes an open record; its ring, undefined for anything else. */
export function ringOfClosed(run: BpfRunCtx, record: number): RingBufferArea | undefined {
  return closeRecord(run, record) ? ringOfRecord(run, record) : undefined;
}

/** A record's header tells how many pages it lies behind the ring's first page, which tells the map. */
function ringOfRecord(run: BpfRunCtx, record: number): RingBufferArea | undefined {
  const { u32 } = run.runtime.memory;
  const header = record - BpfRingbuf.BPF_RINGBUF_HDR_SZ;
  const pages = u32[(header + 4) >>> 2];
  const first = header - (header % RING_PAGE) - pages * RING_PAGE;
  return areaOf(run, u32[(first + RingLayout.map) >>> 2]);
}

/** The ring of the map that has this low word. */
export function areaOf(run: BpfRunCtx, map: number): RingBufferArea | undefined {
  const found = mapOf(run, map);
  return found instanceof RingBufferMap ? found.area : undefined;
}
