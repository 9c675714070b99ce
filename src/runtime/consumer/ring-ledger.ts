import { BpfRingbuf } from '../../base/index.js';
import type { RingBufferMap } from '../map/index.js';
import type { BpfMemory } from '../memory/bpf-memory.js';
import { RingLayout, ringRecordSize } from '../ring/index.js';
import type { LedgerRow, LedgerSource } from './loss-ledger.js';

/**
 * The account of a ring buffer map. Discarded records are not in it: the program itself took them back.
 * A record that is still being written counts as pending.
 */
export function ringLedger(memory: BpfMemory, map: RingBufferMap): LedgerSource {
  return {
    ledgerRow(): LedgerRow {
      const { reserved, discarded, dropped } = map.area.counts;
      const wanted = reserved - discarded;
      const pending = unreadRecords(memory, map);
      return {
        kind: 'ring',
        name: map.name,
        seen: wanted + dropped,
        delivered: wanted - pending,
        pending,
        dropped: { 'ring full': dropped },
      };
    },
  };
}

/** Records between consumer and producer that were not discarded. */
function unreadRecords(memory: BpfMemory, map: RingBufferMap): number {
  const { area } = map;
  let unread = 0;
  for (let position = area.consumer; position < area.producer;) {
    const header = area.address + RingLayout.data + Number(position & BigInt(area.size - 1));
    const word = memory.u32[header >>> 2];
    if ((word & BpfRingbuf.BPF_RINGBUF_DISCARD_BIT) === 0) unread++;
    position += BigInt(ringRecordSize((word & 0x3fff_ffff) >>> 0));
  }
  return unread;
}
