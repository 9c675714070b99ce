import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `publish` has written. */
interface Published {
  readonly lines: readonly string[];
}

/** The reports of earlier runs in `folder`, as Markdown. */
export function publishedMarkdown(folder: string, suites: readonly string[]): string[] {
  const lines = suites.flatMap((suite) => {
    const path = join(folder, `${suite}.json`);
    if (!existsSync(path)) return [];
    const { lines: own } = JSON.parse(readFileSync(path, 'utf8')) as Published;
    return [`### ${suite}`, '', ...toMarkdown(own), ''];
  });
  return lines.slice(0, -1);
}

/** Tables of `formatTable` become Markdown's; all other lines stay as they are. */
export function toMarkdown(lines: readonly string[]): string[] {
  let columns: readonly (readonly [start: number, end: number])[] | undefined;
  return lines.flatMap((line, i) => {
    const next = lines[i + 1] ?? '';
    if (isRule(next)) columns = columnsOf(next);
    if (line === '') columns = undefined;
    if (columns === undefined) return [line];
    if (isRule(line)) return [`| --- |${' ---: |'.repeat(columns.length - 1)}`];
    const cells = columns.map(([start, end]) => line.slice(start, end).trim().replaceAll('|', '\\|'));
    return [...(isRule(next) && i > 0 && lines[i - 1] !== '' ? [''] : []), `| ${cells.join(' | ')} |`];
  });
}

function isRule(line: string): boolean {
  return /^-+(  -+)+$/.test(line);
}

/** Where the columns under a rule begin and end. */
function columnsOf(rule: string): (readonly [number, number])[] {
  return [...rule.matchAll(/-+/g)].map(({ 0: dashes, index }) => [index, index + dashes.length] as const);
}
