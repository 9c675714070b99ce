import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/**
 * Corrupt objects and BTF in a child process: every one ends in an answer or in a BpfError that tells where, what
 * and how to mend it; none takes long, and none makes the process grow. KSCOPE_SEED repeats a run.
 */
const objects = process.env['CI'] === undefined ? 2_500 : 50_000;
/** Every sixth is corrupt BTF instead, by itself and as the target of an intact object. */
const count = objects * 1.2;
const seed = Number(process.env['KSCOPE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const MAX_MS = 2_000;
const MAX_GROWTH_MIB = 64;
/** The child reports after every 100 objects. */
const SILENCE_MS = 100 * MAX_MS;

interface Report {
  readonly parsed: number;
  readonly linked: number;
  readonly refused: number;
  readonly slowest: { readonly index: number; readonly ms: number };
  readonly peakGrowthMiB: number;
  readonly violations: readonly { readonly index: number; readonly reason: string }[];
}

/** Half of the objects each, at the same time. */
const CHILDREN = 2;

function run(first: number, share: number): Promise<Report> {
  // A small young generation, so that growth is what the loader keeps and not what waits to be collected.
  const execArgv = ['--expose-gc', '--max-semi-space-size=4'];
  const child = fork(
    fileURLToPath(new URL('mutation-child.mjs', import.meta.url)),
    [String(seed), String(first), String(share)],
    { execArgv },
  );
  return new Promise((resolve, reject) => {
    let last = 0;
    let report: Report | undefined;
    const give = (): NodeJS.Timeout =>
      setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`an object after number ${last} of seed ${seed} takes too long`));
      }, SILENCE_MS);
    let silence = give();
    child.on('message', (message: number | Report) => {
      clearTimeout(silence);
      silence = give();
      if (typeof message === 'number') last = message;
      else report = message;
    });
    child.on('exit', (code, signal) => {
      clearTimeout(silence);
      if (report !== undefined && code === 0) resolve(report);
      else reject(new Error(`the child ended with ${code ?? signal} after object ${last} of seed ${seed}`));
    });
  });
}

it(`survives ${objects} corrupt objects`, { timeout: 600_000 }, async () => {
  const share = count / CHILDREN;
  const reports = await Promise.all(Array.from({ length: CHILDREN }, (_, i) => run(i * share, share)));
  const sum = (of: (report: Report) => number): number => reports.reduce((total, report) => total + of(report), 0);
  const [parsed, linked, refused] = [sum((r) => r.parsed), sum((r) => r.linked), sum((r) => r.refused)];
  const slowest = reports.map((report) => report.slowest).reduce((a, b) => (a.ms > b.ms ? a : b));
  const peakGrowthMiB = Math.max(...reports.map((report) => report.peakGrowthMiB));
  console.log(
    `seed ${seed}: ${objects} objects and ${count - objects} times BTF, ${parsed} of them parsed all the same, ${linked} programs linked, ${refused} refusals; ` +
      `slowest ${slowest.ms.toFixed(0)} ms, growth at most ${peakGrowthMiB.toFixed(0)} MiB`,
  );
  expect(reports.flatMap(({ violations }) => violations)).toEqual([]);
  expect(slowest.ms).toBeLessThan(MAX_MS);
  expect(peakGrowthMiB).toBeLessThan(MAX_GROWTH_MIB);
});
