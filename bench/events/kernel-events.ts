import { spawnSync } from 'node:child_process';
import { compileProgram } from '../../test/oracle/oracle-binary.js';
import { packageFile } from '../package-file.js';
import type { Rate } from './rate.js';

/** The kernel's paths: the program's object and how libbpf consumes. */
export const KERNEL_PATHS = [
  { name: 'linux: ring buffer, epoll', mode: 'epoll', object: 'ring' },
  { name: 'linux: ring buffer, busy consumer, no wakeups', mode: 'busy', object: 'ring-quiet' },
  { name: 'linux: ring buffer, epoll, wakeup per record', mode: 'epoll', object: 'ring-forced' },
] as const;

export type KernelPath = (typeof KERNEL_PATHS)[number];

/** Runs a path for that long, or says why it cannot be had here. */
export function kernelRate(
  { mode, object }: KernelPath,
  milliseconds: number,
): Rate | { readonly unavailable: string } {
  const binary = compileProgram(packageFile('bench/events/kernel-events.c'), ['-lbpf', '-lpthread']);
  if ('unavailable' in binary) return binary;
  const workloads = packageFile('bench/workloads');
  const run = spawnSync(
    binary.path,
    [mode, `${workloads}/obj/${object}.o`, `${workloads}/data/event.bin`, String(milliseconds)],
    { encoding: 'utf8' },
  );
  if (run.status !== 0) return { unavailable: run.stderr.trim() || 'kernel-events crashed' };
  return JSON.parse(run.stdout) as Rate;
}
