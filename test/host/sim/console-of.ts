import { expect } from 'vitest';
import { journalOf, type KernelRun } from './kernel-machine.js';

/** Console of a script, on two CPUs if nothing is said, that has to end well. */
export function consoleOf(script: string, run: Partial<KernelRun> = {}): string {
  const { host, stop, status } = journalOf({ cpus: 2, seed: 7, ...run, script });
  expect({ stop, status, oops: host.oops, console: host.console }).toEqual({
    stop: 'finished',
    status: 0,
    oops: null,
    console: host.console,
  });
  return host.console;
}

/** What `plumb` or `names` says of its operations, a line each, without their names. */
export function answers(program: string, ...operations: readonly string[]): string[] {
  return consoleOf(`${program} ${operations.join(' ')}`)
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/\w+ (-?\d+)$/, '$1'));
}

export const plumb = (...operations: readonly string[]): string[] => answers('plumb', ...operations);
export const names = (...operations: readonly string[]): string[] => answers('names', ...operations);
