import { atMost } from '../target.js';

/** A ratio to the kernel's JIT that a workload shall not exceed. */
export interface Target {
  readonly workload: string;
  readonly kind: 'net' | 'gross';
  readonly contender: string;
  readonly ratio: number;
}

function target(contender: string, workload: string, kind: Target['kind'], ratio: number): Target {
  return { contender, workload, kind, ratio };
}

export const TARGETS: readonly Target[] = [
  target('jit', 'lcg', 'gross', 1.03),
  target('jit', 'fnv', 'gross', 1.03),
  target('jit', 'sip', 'gross', 0.66),
  target('jit', 'sieve', 'gross', 1),
  target('jit proved', 'sieve', 'gross', 0.86),
  target('jit', 'pkt', 'net', 1.5),
  target('jit', 'trace', 'net', 0.7),
  target('jit', 'trace', 'gross', 0.65),
  target('jit', 'traceup', 'net', 0.3),
  target('jit', 'traceup', 'gross', 0.3),
  target('jit', 'cnt', 'net', 1.15),
  target('jit', 'cnt', 'gross', 0.7),
  target('jit', 'ring', 'net', 0.3),
  target('jit', 'ring', 'gross', 0.3),
  target('jit shared', 'cntat', 'net', 1.15),
  target('jit shared', 'ring', 'net', 0.5),
  target('interp', 'lcg', 'gross', 31),
  target('interp', 'fnv', 'gross', 24),
  target('interp', 'sip', 'gross', 83),
  target('interp', 'pkt', 'net', 68),
];

export function targetsOf(workload: string, kind: Target['kind']): readonly Target[] {
  return TARGETS.filter((each) => each.workload === workload && each.kind === kind);
}

/** What the table says of a target. */
export function targetText({ contender, ratio }: Target, measured: number): string {
  return `${contender} ${atMost(ratio, measured)}`;
}
