/** One row: cells by column, texts as they are. */
export type Row = readonly string[];

/** Lines of a table: the first column to the left, the others to the right, a rule under the head. */
export function formatTable(head: Row, rows: readonly Row[]): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: Row): string =>
    widths
      .map((width, i) => (row[i] ?? '')[i === 0 ? 'padEnd' : 'padStart'](width))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)];
}

/** Nanoseconds with as many digits as mean something. */
export function nanoseconds(value: number): string {
  const digits = Math.abs(value) < 100 ? 2 : Math.abs(value) < 1000 ? 1 : 0;
  return value.toFixed(digits);
}

export function ratio(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}
