import { relative } from 'node:path';
import { btf } from './btf/btf.js';
import { compile } from './compile/compile.js';
import { compute } from './compute/compute.js';
import { dispatch } from './dispatch/dispatch.js';
import { events } from './events/events.js';
import { load } from './load/load.js';
import { guests } from './guests/guests.js';
import { sim } from './sim/sim.js';
import { publishedMarkdown } from './markdown.js';
import { type BenchOptions, benchOptions, USAGE } from './options.js';
import { packageFile } from './package-file.js';
import { publish, type Report } from './report.js';

const SUITES: Readonly<Record<string, (options: BenchOptions) => Promise<Report>>> = {
  compute,
  events,
  compile,
  dispatch,
  guests,
  sim,
  btf,
  load,
};

const args = process.argv.slice(2);
if (args.includes('--help')) {
  console.log(USAGE);
} else {
  const options = benchOptions(args, Object.keys(SUITES), packageFile('bench/results'));
  if (options.markdown) for (const line of publishedMarkdown(options.out, Object.keys(SUITES))) console.log(line);
  else await measure(options);
}

async function measure(options: BenchOptions): Promise<void> {
  const suite = SUITES[options.suite] ?? compute;
  const report = await suite(options);
  const path = publish(options.suite, report, options.out);
  console.log(`\nFigures of all rounds: ${relative(process.cwd(), path)}`);
  if (report.failures.length > 0) process.exitCode = 1;
}
