/** Why something that happened was not handed over. */
export const LOSS_CAUSES = [
  /** A record found no room. */
  'ring full',
  /** A hit found its CPU busy with a program or a probe. */
  'recursion',
  /** A hit found no run context or record buffer left on its CPU. */
  'nesting',
  /** A call found no free instance of its return probe. */
  'maxactive',
  /** An earlier probe of the same place sent the CPU elsewhere. */
  'redirected',
  /** The program had to stop, or a return address could not be replaced. */
  'fault',
  /** The call never returned: its frame was unwound, or its task ended in it. */
  'no return',
  /** The probe was removed while the call was under way. */
  'detached',
  /** Nobody was left to read the record. */
  'consumer gone',
] as const;

export type LossCause = (typeof LOSS_CAUSES)[number];

/** The account of one ring or probe: seen = delivered + pending + the sum of dropped. */
export interface LedgerRow {
  readonly kind: 'ring' | 'probe';
  readonly name: string;
  /** Records offered to the ring, or hits of the probe. */
  readonly seen: number;
  /** Records a consumer took, or runs of the program that came to their end. */
  readonly delivered: number;
  /** Records in the ring that a consumer may still take, or calls of a return probe that have not returned. */
  readonly pending: number;
  readonly dropped: Readonly<Partial<Record<LossCause, number>>>;
}

export interface LedgerSource {
  ledgerRow(): LedgerRow;
}

/**
 * The books of every ring and probe of a machine, in the order they were opened. The counts are taken
 * where things happen; the ledger only collects them, so it costs nothing until it is read.
 */
export class LossLedger {
  readonly #sources = new Set<LedgerSource>();
  readonly #settled: LedgerRow[] = [];

  /** Keeps an account; the result closes it and keeps its last state. */
  open(source: LedgerSource): () => void {
    this.#sources.add(source);
    return () => {
      if (this.#sources.delete(source)) this.#settled.push(settle(source.ledgerRow()));
    };
  }

  /** All accounts: those closed first, then the open ones. */
  rows(): LedgerRow[] {
    return [...this.#settled, ...Array.from(this.#sources, (source) => source.ledgerRow())];
  }

  /** All accounts when nobody will read on: what is pending is lost because its consumer or probe is gone. */
  finalRows(): LedgerRow[] {
    return this.rows().map(settle);
  }
}

/** Everything that was dropped, whatever the cause. */
export function droppedTotal(row: LedgerRow): number {
  return Object.values(row.dropped).reduce((sum, count) => sum + count, 0);
}

/** Whether the account adds up. */
export function isBalanced(row: LedgerRow): boolean {
  return row.seen === row.delivered + row.pending + droppedTotal(row);
}

/** The accounts as text, one line each: `probe NAME  seen N = N delivered + N ring full`. */
export function formatLedger(rows: readonly LedgerRow[]): string {
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  return rows
    .map((row) => `${row.kind.padEnd(5)} ${row.name.padEnd(width)}  seen ${row.seen} = ${terms(row).join(' + ')}\n`)
    .join('');
}

function terms(row: LedgerRow): string[] {
  const dropped = Object.entries(row.dropped).filter(([, count]) => count > 0);
  return [
    `${row.delivered} delivered`,
    ...(row.pending > 0 ? [`${row.pending} ${row.kind === 'ring' ? 'unread' : 'under way'}`] : []),
    ...dropped.map(([cause, count]) => `${count} ${cause}`),
  ];
}

function settle(row: LedgerRow): LedgerRow {
  if (row.pending === 0) return row;
  const cause: LossCause = row.kind === 'ring' ? 'consumer gone' : 'detached';
  return { ...row, pending: 0, dropped: { ...row.dropped, [cause]: (row.dropped[cause] ?? 0) + row.pending } };
}
