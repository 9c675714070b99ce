import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';

/** What a benchmark found: lines to print, and the figures behind them. */
export interface Report {
  readonly lines: readonly string[];
  readonly data: unknown;
  /** Programs that did not return what they should. */
  readonly failures: readonly string[];
}

/** What figures depend on besides the code. */
export function environment(): Record<string, unknown> {
  return {
    date: new Date().toISOString(),
    node: process.versions.node,
    v8: process.versions.v8,
    system: `${process.platform} ${release()}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: cpus().length,
    load: loadavg().map((load) => Number(load.toFixed(2))),
  };
}

/** Prints a report and writes `folder`/`suite`.json; the path. */
export function publish(suite: string, report: Report, folder: string): string {
  for (const line of report.lines) console.log(line);
  for (const failure of report.failures) console.error(`FAILED: ${failure}`);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${suite}.json`);
  const { data, failures } = report;
  writeFileSync(path, `${JSON.stringify({ suite, environment: environment(), failures, data }, undefined, 2)}\n`);
  return path;
}
