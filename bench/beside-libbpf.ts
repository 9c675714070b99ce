import { median, spreadOf } from './statistics.js';
import { ratio } from './table.js';
import { atMost } from './target.js';

export const BESIDE_LIBBPF = ['ms', 'libbpf ms', 'ratio', 'range', 'target'] as const;

/** Milliseconds of one round; of libbpf undefined where it was not asked. */
export interface RoundTimes {
  readonly ours: number;
  readonly libbpf: number | undefined;
}

/** The columns `BESIDE_LIBBPF`. The ratio, made within each round, shall be `most` at most, where that is given. */
export function besideLibbpf(rounds: readonly RoundTimes[], digits: number, most?: number): string[] {
  const middle = (values: readonly number[]): string => median(values).toFixed(digits);
  const ours = middle(rounds.map((round) => round.ours));
  const both = rounds.flatMap(({ ours: mine, libbpf }) => (libbpf === undefined ? [] : [{ mine, libbpf }]));
  if (both.length === 0) return [ours, '', '', '', ''];
  const spread = spreadOf(both.map(({ mine, libbpf }) => mine / libbpf));
  const range = `${ratio(spread.least)}-${ratio(spread.most)}`;
  const target = most === undefined ? '' : atMost(most, spread.median);
  return [ours, middle(both.map(({ libbpf }) => libbpf)), ratio(spread.median), range, target];
}
