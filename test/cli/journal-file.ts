import { JournalKind } from '../../src/host/sim/index.js';

/** An entry of the journal that `kscope run --journal` writes. */
export interface Entry {
  readonly time: bigint;
  readonly cpu: number;
  readonly kind: number;
  readonly a: bigint;
  readonly b: bigint;
  readonly c: bigint;
  readonly d: bigint;
  readonly text: string;
}

/** Addresses do not fit JavaScript numbers: every integer is read as text. */
export function readJournal(text: string): Entry[] {
  const quoted = text.replaceAll(/"(time|a|b|c|d)":(\d+)/g, '"$1":"$2"');
  const entries = JSON.parse(quoted) as (Record<'time' | 'a' | 'b' | 'c' | 'd', string> &
    Pick<Entry, 'cpu' | 'kind' | 'text'>)[];
  return entries.map(({ time, cpu, kind, a, b, c, d, text: path }) => ({
    time: BigInt(time),
    cpu,
    kind,
    a: BigInt(a),
    b: BigInt(b),
    c: BigInt(c),
    d: BigInt(d),
    text: path,
  }));
}

/** The entries of a kind. */
export function all(journal: readonly Entry[], kind: keyof typeof JournalKind): Entry[] {
  return journal.filter((entry) => entry.kind === JournalKind[kind]);
}
