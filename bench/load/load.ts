import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Btf, parseBtf } from 'kscope/btf';
import { compileProgram } from '../../test/oracle/oracle-binary.js';
import { BESIDE_LIBBPF, besideLibbpf } from '../beside-libbpf.js';
import type { BenchOptions } from '../options.js';
import { packageFile } from '../package-file.js';
import type { Report } from '../report.js';
import { median } from '../statistics.js';
import { QUICK } from '../stopwatch.js';
import { formatTable } from '../table.js';
import { loadOnce, mapsOf } from './load-once.js';

const VMLINUX = '/sys/kernel/btf/vmlinux';
/** Where `scripts/fetch-libbpf-tools.mjs` and `test/oracle/fetch-libbpf.sh` leave what they fetch. */
const OBJECTS = packageFile('.cache/oracle/libbpf-tools/objects');
const LIBBPF = packageFile('.cache/oracle/libbpf-1.5');
const MOST_RATIO = 2;
/** Loads before each sample, as a process that loads many objects has behind it. */
const WARM_UP = 20;
const SAMPLES = 5;
/** Objects with a row of their own. */
const SHOWN = 5;
const FRESH = fileURLToPath(new URL('./fresh-load.js', import.meta.url));

/** Milliseconds by object, and of the kernel's types under `btf`. */
type Times = Readonly<Record<string, number>>;

interface Round {
  readonly ours: Times;
  readonly libbpf: Times;
  /** Of the largest object, the first of its process. */
  readonly first: { readonly ours: Times; readonly libbpf: Times };
}

/** Objects of libbpf-tools: opened, linked against the running kernel's types, checked. Largest first. */
export async function load({ effort }: BenchOptions): Promise<Report> {
  await Promise.resolve();
  const missing = [VMLINUX, OBJECTS].find((path) => !existsSync(path));
  if (missing !== undefined)
    return { lines: [`${missing} is not there: nothing is measured`], data: { unavailable: missing }, failures: [] };
  const names = largestFirst(effort.sampleMs === QUICK.sampleMs ? SHOWN : undefined);
  const rounds = Array.from({ length: effort.rounds }, () => measureRound(names));
  return { lines: report(names, rounds), data: { rounds }, failures: [] };
}

function largestFirst(count: number | undefined): string[] {
  return readdirSync(OBJECTS)
    .toSorted((a, b) => statSync(join(OBJECTS, b)).size - statSync(join(OBJECTS, a)).size)
    .slice(0, count);
}

function measureRound(names: readonly string[]): Round {
  const types = parseBtf(readFileSync(VMLINUX));
  const ours: Record<string, number> = { btf: timed(() => parseBtf(readFileSync(VMLINUX))) };
  for (const name of names) ours[name] = warmLoad(readFileSync(join(OBJECTS, name)), types);
  const [largest = ''] = names;
  const samples = libbpfSamples(names);
  return {
    ours,
    libbpf: mapValues(samples, median),
    first: { ours: { [largest]: freshLoad(largest) }, libbpf: mapValues(samples, ([each = Number.NaN]) => each) },
  };
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function warmLoad(bytes: Uint8Array, types: Btf): number {
  const maps = mapsOf(bytes);
  for (let i = 0; i < WARM_UP; i++) loadOnce(bytes, types, maps);
  const times = Array.from({ length: SAMPLES }, () => timed(() => loadOnce(bytes, types, maps)));
  for (const map of maps.values()) map.release();
  return median(times);
}

/** The first load of a process, its own reading of the kernel's types left out. */
function freshLoad(name: string): number {
  const { stdout, stderr, status } = spawnSync(process.execPath, [FRESH, VMLINUX, join(OBJECTS, name)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

/** Empty where there is no libbpf to link with. */
function libbpfSamples(names: readonly string[]): Readonly<Record<string, readonly number[]>> {
  const archive = join(LIBBPF, 'libbpf.a');
  if (!existsSync(archive)) return {};
  const options = [`-I${join(LIBBPF, 'include')}`, '-Wl,--wrap=syscall', archive, '-lelf', '-lz'];
  const binary = compileProgram(packageFile('bench/load/libbpf-load.c'), options);
  if ('unavailable' in binary) return {};
  const { status, stdout } = spawnSync(binary.path, [VMLINUX, String(SAMPLES), ...names], {
    cwd: OBJECTS,
    encoding: 'utf8',
  });
  if (status !== 0) return {};
  const samples = Object.entries(JSON.parse(stdout) as Record<string, number[]>);
  return Object.fromEntries(samples.filter(([, [first = -1]]) => first >= 0));
}

function mapValues<T>(of: Readonly<Record<string, T>>, change: (value: T) => number): Times {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, change(value)]));
}

function report(names: readonly string[], rounds: readonly Round[]): string[] {
  const [largest = ''] = names;
  const rows = [
    row('all objects', rounds, (times) => total(times, comparable(names, rounds))),
    ...names
      .slice(0, SHOWN)
      .map((name) => row(name, rounds, (times) => times[name], name === largest ? MOST_RATIO : undefined)),
    row(
      `${largest}, first of its process`,
      rounds.map(({ first }) => first),
      (times) => times[largest],
    ),
  ];
  return [
    ...formatTable(['opened, linked, checked', ...BESIDE_LIBBPF], rows),
    '',
    'Against the types of the running kernel, parsed beforehand: what libbpf takes to parse them is taken off its time.',
    'libbpf is asked for the same up to the system calls, which take no time here; it creates no maps, and ours are made',
    'before. Objects that libbpf cannot link for this kernel are left out of the sum.',
  ];
}

/** Names that both sides load. */
function comparable(names: readonly string[], rounds: readonly Round[]): string[] {
  return names.filter((name) => rounds.every(({ libbpf }) => name in libbpf || Object.keys(libbpf).length === 0));
}

/** Undefined where one of them was not loaded. */
function total(times: Times, names: readonly string[]): number | undefined {
  const known = names.flatMap((name) => times[name] ?? []);
  return known.length < names.length ? undefined : known.reduce((sum, each) => sum + each, 0);
}

function row(
  title: string,
  rounds: readonly Omit<Round, 'first'>[],
  of: (times: Times) => number | undefined,
  most?: number,
): string[] {
  const times = rounds.map(({ ours, libbpf }) => ({ ours: of(ours) ?? Number.NaN, libbpf: of(withoutTypes(libbpf)) }));
  return [title, ...besideLibbpf(times, 2, most)];
}

/** libbpf parses the kernel's types with each object, in so far as it needs them. */
function withoutTypes({ btf = 0, ...objects }: Times): Times {
  return Object.fromEntries(Object.entries(objects).map(([name, ms]) => [name, ms - btf]));
}
