/** A figure counts as met within this share of its target: those of a shared machine are no more exact. */
const TOLERANCE = 0.1;

/** `1.2 +` where a figure of at most 1.2 is wanted and found, `1.2 -` where it is not. One below 0 is noise. */
export function atMost(limit: number, measured: number): string {
  return `${limit} ${measured > 0 && measured <= limit * (1 + TOLERANCE) ? '+' : '-'}`;
}

export function atLeast(limit: number, measured: number): string {
  return `${limit} ${measured >= limit * (1 - TOLERANCE) ? '+' : '-'}`;
}
