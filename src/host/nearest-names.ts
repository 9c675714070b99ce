/** Names offered at most. */
const OFFERED = 3;

/**
 * The known names most like `wanted`: those that contain it or that it contains, then those a few letters away.
 * For messages that say what may have been meant.
 */
export function nearestNames(wanted: string, known: Iterable<string>): string[] {
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  const scored: { name: string; distance: number }[] = [];
  for (const name of new Set(known)) {
    const distance = contains(name, wanted)
      ? 1 + Math.abs(name.length - wanted.length) / 64
      : editDistance(name, wanted, limit);
    if (distance <= limit) scored.push({ name, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return scored.slice(0, OFFERED).map(({ name }) => name);
}

function contains(a: string, b: string): boolean {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return short.length > 3 && long.includes(short);
}

/** Letters to insert, remove or replace; more than `limit` counts as infinitely many. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, row[j] + 1, next[j - 1] + 1);
    }
    if (Math.min(...next) > limit) return Number.POSITIVE_INFINITY;
    row = next;
  }
  return row[b.length];
}
