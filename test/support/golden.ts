import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'vitest';

const TESTDATA = new URL('../testdata/', import.meta.url);

/** Compares `text` with test/testdata/`name`; KSCOPE_RECORD=1 rewrites the file instead. */
export function golden(name: string, text: string): void {
  const path = new URL(name, TESTDATA);
  const actual = text.endsWith('\n') ? text : `${text}\n`;
  if (process.env['KSCOPE_RECORD'] === '1') {
    mkdirSync(dirname(path.pathname), { recursive: true });
    writeFileSync(path, actual);
  }
  expect(actual).toBe(readFileSync(path, 'utf8'));
}
