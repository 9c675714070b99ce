import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Answers of the live kernel kept as text: its release in the first line, then one answer a line. */
export interface Golden {
  readonly release: string;
  readonly lines: readonly string[];
}

/** Whether this run is meant to rewrite the goldens it compares with (KSCOPE_RECORD=1). */
export function recording(): boolean {
  return process.env['KSCOPE_RECORD'] === '1';
}

export function readGolden(path: URL): Golden {
  const [header = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  return { release: header.replace(/^# Linux /, ''), lines };
}

export function writeGolden(path: URL, golden: Golden): void {
  mkdirSync(dirname(path.pathname), { recursive: true });
  writeFileSync(path, [`# Linux ${golden.release}`, ...golden.lines, ''].join('\n'));
}
