import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import config from '../../vitest.config.js';
import { checkFeatureMap } from './feature-map.js';

const markdown = readFileSync('docs/seeds.md', 'utf8');
const include = (config as { test: { include: string[] } }).test.include;

const range = (prefix: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${prefix}-${from + i}`);

const IDS = [...range('S3', 1, 18), ...range('S3', 43, 45), ...range('T', 35, 48)];

interface Row {
  readonly id: string;
  readonly does: string;
  readonly file: string;
  readonly title: string;
}

function rowsOf(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => /^\| (S3|T)-\d/.test(line))
    .map((line) => {
      const [id = '', does = '', file = '', title = ''] = line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim());
      return { id, does, file, title };
    });
}

/** The same rows in the form of docs/features.md, without the column that says what kscope does. */
function asFeatureMap(rows: readonly Row[]): string {
  return ['## Seeds', ...rows.map(({ id, file, title }) => `| ${id} | ${file} | ${title} |`)].join('\n');
}

describe('docs/seeds.md', () => {
  const rows = rowsOf(markdown);

  it('has a row for each number, and no others', () => {
    expect(rows.map(({ id }) => id)).toEqual(IDS);
  });

  it('says of each what kscope does', () => {
    expect(rows.filter(({ does }) => does.split(' ').length < 6)).toEqual([]);
  });

  it('names a test that exists and is run for each', () => {
    expect(checkFeatureMap(asFeatureMap(rows), include)).toEqual([]);
  });

  it('would be found wrong where a test is missing', () => {
    const broken = markdown.replace('calls post handlers behind the instruction', 'does nothing of the kind');
    expect(checkFeatureMap(asFeatureMap(rowsOf(broken)), include)).toHaveLength(1);
  });
});
