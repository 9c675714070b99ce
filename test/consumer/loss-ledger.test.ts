import { describe, expect, it } from 'vitest';
import {
  droppedTotal,
  formatLedger,
  isBalanced,
  type LedgerRow,
  LossLedger,
  ringLedger,
  RingBufferReader,
} from '../../src/runtime/index.js';
import { ringFixture } from './ring-fixture.js';

const probe: LedgerRow = {
  kind: 'probe',
  name: 'kprobe:vfs_read',
  seen: 10,
  delivered: 7,
  pending: 0,
  dropped: { recursion: 2, maxactive: 1 },
};

describe('the loss ledger', () => {
  it('a ring: seen = delivered + pending + ring full, discarded records left out', () => {
    const ring = ringFixture();
    const reader = new RingBufferReader(ring.memory, ring.map);
    const ledger = new LossLedger();
    ledger.open(ringLedger(ring.memory, ring.map));
    ring.map.area.discard(ring.reserve(8), 0);
    for (let i = 0; i < 5; i++) ring.produce(new Uint8Array(1000));
    reader.poll(() => {}, 2);
    ring.map.area.discard(ring.reserve(8), 0);
    const [row] = ledger.rows();
    expect(row).toEqual({
      kind: 'ring',
      name: 'events',
      seen: 5,
      delivered: 2,
      pending: 2,
      dropped: { 'ring full': 1 },
    });
    expect(isBalanced(row)).toBe(true);
  });

  it('in the end what is unread is lost because its consumer is gone', () => {
    const ring = ringFixture();
    const ledger = new LossLedger();
    ledger.open(ringLedger(ring.memory, ring.map));
    ring.produce(new Uint8Array(8));
    expect(ledger.rows()[0]).toMatchObject({ pending: 1, dropped: { 'ring full': 0 } });
    expect(ledger.finalRows()[0]).toMatchObject({ seen: 1, delivered: 0, pending: 0, dropped: { 'consumer gone': 1 } });
    expect(ledger.finalRows().every(isBalanced)).toBe(true);
  });

  it('keeps the last state of accounts that were closed, before those that are open', () => {
    const ledger = new LossLedger();
    let seen = 1;
    const close = ledger.open({ ledgerRow: () => ({ ...probe, name: 'closed', seen }) });
    ledger.open({ ledgerRow: () => ({ ...probe, name: 'open', seen }) });
    seen = 2;
    close();
    close();
    seen = 3;
    expect(ledger.rows().map((row) => [row.name, row.seen])).toEqual([
      ['closed', 2],
      ['open', 3],
    ]);
  });

  it('prints one line for each account', () => {
    const ring: LedgerRow = {
      kind: 'ring',
      name: 'events',
      seen: 3,
      delivered: 1,
      pending: 2,
      dropped: { 'ring full': 0 },
    };
    expect(formatLedger([probe, ring])).toBe(
      'probe kprobe:vfs_read  seen 10 = 7 delivered + 2 recursion + 1 maxactive\n' +
        'ring  events           seen 3 = 1 delivered + 2 unread\n',
    );
    expect(droppedTotal(probe)).toBe(3);
    expect(formatLedger([])).toBe('');
  });
});
