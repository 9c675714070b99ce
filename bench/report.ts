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
interface Environment {
  readonly date: string;
  readonly node: string;
  readonly v8: string;
  readonly system: string;
  readonly processor: string;
  readonly processors: number;
  /** Processes that wanted to run, in the last 1, 5 and 15 minutes. */
  readonly load: readonly number[];
}

function environment(): Environment {
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

function environmentLine({ date, node, v8, system, processor, processors, load }: Environment): string {
  const machine = `${processors} x ${processor}, load ${load[0] ?? 0}`;
  return `${date.slice(0, 10)}, Node ${node} (V8 ${v8}), ${system}, ${machine}`;
}

/** Prints a report and writes `folder`/`suite`.json; the path. */
export function publish(suite: string, report: Report, folder: string): string {
  const about = environment();
  const lines = [environmentLine(about), '', ...report.lines];
  for (const line of lines) console.log(line);
  for (const failure of report.failures) console.error(`FAILED: ${failure}`);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${suite}.json`);
  const { data, failures } = report;
  writeFileSync(path, `${JSON.stringify({ suite, environment: about, failures, lines, data }, undefined, 2)}\n`);
  return path;
}
