import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Rows `| noun | path/of.test.ts | title fragment |` of docs/features.md. */
const rows = readFileSync('docs/features.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| .*\.test\.ts/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim().replace(/^`|`$/g, '')))
  .map(([, noun, file, title]) => ({ noun, file, title }) as { noun: string; file: string; title: string });

describe('docs/features.md', () => {
  it('has rows', () => expect(rows.length).toBeGreaterThan(60));

  it.each(rows)('$noun is covered by $file', ({ file, title }) => {
    expect(existsSync(file), `${file} exists`).toBe(true);
    expect(readFileSync(file, 'utf8'), `${file} has a test that mentions it`).toContain(title);
  });
});
