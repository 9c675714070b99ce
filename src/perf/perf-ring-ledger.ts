import type { LedgerRow, LedgerSource } from '../runtime/index.js';
import type { PerfRing } from './perf-ring.js';

/** The account of one perf event's ring. It holds after the ring is gone. */
export function perfRingLedger(name: string, ring: PerfRing): LedgerSource {
  return {
    ledgerRow(): LedgerRow {
      const { offered, written, taken } = ring.counts;
      return {
        kind: 'ring',
        name,
        seen: offered,
        delivered: taken,
        pending: written - taken,
        dropped: { 'ring full': offered - written },
      };
    },
  };
}
