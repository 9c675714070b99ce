import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'kscope-bench-'));

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} answers ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** What stands in the JSON file, after a run that is short and measures nothing. */
function results(suite: string, ...names: string[]): { readonly failures: readonly string[]; readonly data: unknown } {
  run(process.execPath, '.cache/bench/bench/main.js', suite, ...names, '--quick', '--rounds', '1', '--out', out);
  return JSON.parse(readFileSync(join(out, `${suite}.json`), 'utf8')) as ReturnType<typeof results>;
}

/** Figures are looked at by people; here it counts that every suite runs to its end and that results are right. */
describe('npm run bench', () => {
  beforeAll(() => void run(join(root, 'node_modules/.bin/tsc'), '-b', 'bench'));
  afterAll(() => rmSync(out, { recursive: true }));

  it('runs workloads on every engine, with the results they must have', () => {
    const { data, failures } = results('compute', 'sieve', 'pkt', 'ring');
    expect(failures).toEqual([]);
    const rows = data as { readonly workload: string; readonly contender: string }[];
    const onInterpreter = rows.filter(({ contender }) => contender === 'interp').map(({ workload }) => workload);
    expect(onInterpreter).toEqual(['sieve', 'pkt', 'ring']);
  });

  it('holds the memory of 1,000 compiled programs below 64 MiB, and takes no more for the next 1,000', () => {
    const { data, failures } = results('compile');
    expect(failures).toEqual([]);
    const { memory } = data as { readonly memory: readonly Record<string, unknown>[] };
    const { loaded, loadedAgain } = memory.find(({ engine }) => engine === 'jit') as Record<string, number>;
    expect(loaded).toBeLessThan(64);
    // Twice 1,000 programs would be twice as much.
    expect(loadedAgain).toBeLessThan(1.5 * (loaded ?? 0));
  });

  it.each(['events', 'dispatch', 'btf', 'load', 'sim'])('%s runs to its end', (suite) => {
    expect(results(suite).failures).toEqual([]);
  });

  it('explains itself', () => {
    expect(run(process.execPath, '.cache/bench/bench/main.js', '--help')).toContain('npm run bench');
  });
});
