import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { deduplicateBtf, encodeBtf, parseBtf, printBtfAsC } from 'kscope/btf';
import { compileProgram } from '../../test/oracle/oracle-binary.js';
import { BESIDE_LIBBPF, besideLibbpf } from '../beside-libbpf.js';
import type { BenchOptions } from '../options.js';
import { packageFile } from '../package-file.js';
import type { Report } from '../report.js';
import { median } from '../statistics.js';
import { formatTable } from '../table.js';
import { atMost } from '../target.js';

const VMLINUX = '/sys/kernel/btf/vmlinux';
const MOST_PARSE_MS = 150;

/** Milliseconds of one round, by what was done; those of libbpf where it does the same. */
interface Round {
  readonly ours: Readonly<Record<string, number>>;
  readonly libbpf: Readonly<Record<string, number>>;
}

/** BTF of the running kernel: read and parsed, looked up in, encoded, deduplicated, printed. */
export async function btf({ effort }: BenchOptions): Promise<Report> {
  if (!existsSync(VMLINUX)) {
    return { lines: [`${VMLINUX} is not there: nothing is measured`], data: { unavailable: VMLINUX }, failures: [] };
  }
  // In a process of its own: nothing of the code has run before.
  const cold = Array.from({ length: effort.rounds }, coldParse);
  const failures: string[] = [];
  const rounds: Round[] = [];
  for (let i = 0; i < effort.rounds; i++) rounds.push(measureRound(failures));
  await Promise.resolve();
  return { lines: report(cold, rounds), data: { cold, rounds }, failures: [...new Set(failures)] };
}

/** Milliseconds from nothing to parsed types and a first lookup by name, in a fresh process. */
function coldParse(): number {
  const script = `
    import { readFileSync } from 'node:fs';
    import { parseBtf } from 'kscope/btf';
    const start = performance.now();
    const btf = parseBtf(readFileSync('${VMLINUX}'));
    if (btf.findByName('task_struct', 'struct') === undefined) throw new Error('no task_struct');
    console.log(performance.now() - start);`;
  const args = ['--input-type=module', '--eval', script];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: packageFile('.'), encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

function measureRound(failures: string[]): Round {
  const time = <T>(work: () => T): readonly [ms: number, result: T] => {
    const start = performance.now();
    const result = work();
    return [performance.now() - start, result];
  };
  const bytes = readFileSync(VMLINUX);
  const [parse] = time(() => parseBtf(readFileSync(VMLINUX)));
  const [find, types] = time(() => {
    const parsed = parseBtf(readFileSync(VMLINUX));
    parsed.findByName('task_struct', 'struct');
    return parsed;
  });
  const [encode, encoded] = time(() => encodeBtf(types));
  const [dedup, unique] = time(() => deduplicateBtf(types));
  const [print] = time(() => printBtfAsC(types));
  if (bytes.compare(encoded) !== 0) failures.push('encoded BTF differs from what was parsed');
  if (unique.btf.typeCount > types.typeCount) failures.push('there are more types after deduplication');
  return { ours: { parse, find, encode, dedup, print }, libbpf: libbpfTimes() };
}

/** Empty where there is no libbpf to compile with. */
function libbpfTimes(): Readonly<Record<string, number>> {
  const binary = compileProgram(packageFile('bench/btf/libbpf-btf.c'), ['-lbpf']);
  if ('unavailable' in binary) return {};
  const run = spawnSync(binary.path, [VMLINUX, 'task_struct'], { encoding: 'utf8' });
  return run.status === 0 ? (JSON.parse(run.stdout) as Record<string, number>) : {};
}

const WHAT: Readonly<Record<string, string>> = {
  parse: 'read and parse',
  find: 'read, parse, first lookup by name',
  encode: 'encode',
  dedup: 'deduplicate',
  print: 'print C',
};

function report(cold: readonly number[], rounds: readonly Round[]): string[] {
  const rows = Object.entries(WHAT).map(([key, what]) => {
    const times = rounds.map(({ ours, libbpf }) => ({ ours: ours[key] ?? Number.NaN, libbpf: libbpf[key] }));
    return [what, ...besideLibbpf(times, 1)];
  });
  const first = median(cold);
  const coldRow = ['the same in a fresh process', first.toFixed(1), '', '', '', atMost(MOST_PARSE_MS, first)];
  rows.splice(2, 0, coldRow);
  return formatTable(['vmlinux BTF', ...BESIDE_LIBBPF], rows);
}
