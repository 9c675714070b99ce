import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { describeWith } from '../../oracle/describe-with.js';
import { bareArchs, bareKernel, bareMachine, DEFAULT_ROUNDS, type BareKernel } from './bare-kernel.js';

const CPUS = 2;

/** Boots the kernel, waits until it powers itself off, and returns what it printed. */
function run(kernel: BareKernel, rounds?: number): string {
  const [tool, args] = bareMachine(kernel, rounds);
  const { error, status, stdout, stderr } = spawnSync(tool, args, { encoding: 'latin1', timeout: 60_000 });
  if (error !== undefined) throw error;
  expect(`${status} ${stderr}`).toBe('0 ');
  return stdout.replaceAll('\r', '');
}

function countsOf(console: string): Record<string, number> {
  const counts = [...console.matchAll(/^KSCOPE-COUNTS (\w+) (\d+)$/gm)];
  return Object.fromEntries(counts.map(([, name, value]) => [name, Number(value)]));
}

/** What `rounds` rounds on each CPU come to; the timer's ticks are left out. */
function expectedCounts(rounds: number): Record<string, number> {
  const all = CPUS * rounds;
  return {
    rounds: all,
    do_round: all,
    fib: 25 * all,
    sum_words: all,
    sum_words_loops: 16 * all,
    hash_name: all,
    device_read: all,
    tail_enter: all,
    tail_target: all,
    throw_deep: 4 * all,
    caught: all,
    insn_mix: all,
    insn_mix_wrong: 0,
    atomic_increment: all,
    // Besides the rounds: the one that is refused, and the exit.
    syscalls: all + 2 * CPUS,
    own_breaks: CPUS * Math.ceil(rounds / 4),
    user_breaks: CPUS * Math.ceil(rounds / 8),
    unknown_breaks: 0,
    user_steps: 10 * all,
    shared_total: all,
  };
}

for (const arch of bareArchs) {
  describeWith(`the bare-metal kernel on ${arch}`, bareKernel(arch), (kernel) => {
    it('boots, works on two CPUs in kernel and user mode, and powers off', () => {
      const console = run(kernel);
      expect(console.split('\n')[0]).toBe('KSCOPE-BOOT');
      expect(console).toContain('KSCOPE-DONE\n');
      const { timer_ticks, ...counts } = countsOf(console);
      expect(timer_ticks).toBeGreaterThanOrEqual(0);
      expect(counts).toEqual(expectedCounts(DEFAULT_ROUNDS));
    });

    it('works as many rounds as a word in its memory says, while its timer interrupts it', () => {
      const { timer_ticks, ...counts } = countsOf(run(kernel, 20_000));
      expect(timer_ticks).toBeGreaterThan(0);
      expect(counts).toEqual(expectedCounts(20_000));
    });
  });
}
