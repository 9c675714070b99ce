import type { Host } from '../../host/index.js';
import { ConformanceError } from './conformance-error.js';
import { eventChecks } from './event-checks.js';
import { HostBench } from './host-bench.js';
import { type CheckSpec, type HostCheck, MachineGone } from './host-check.js';
import type { HostFacts } from './host-facts.js';
import { machineChecks } from './machine-checks.js';
import { memoryChecks } from './memory-checks.js';
import { stepChecks } from './step-checks.js';
import { symbolChecks } from './symbol-checks.js';
import { textChecks } from './text-checks.js';
import { trapChecks } from './trap-checks.js';
import { userTextChecks } from './user-text-checks.js';

/** What does not run the machine comes first. */
const ALL: readonly CheckSpec[] = [
  ...machineChecks.slice(0, 2),
  ...memoryChecks,
  ...symbolChecks,
  ...textChecks,
  ...trapChecks,
  ...eventChecks,
  ...stepChecks,
  ...userTextChecks,
  ...machineChecks.slice(2),
];

/**
 * The checks by which a port learns whether it is right. They are made for any test runner:
 *
 *     for (const { name, skip, run } of hostConformance(host, facts)) {
 *       it.skipIf(skip !== null)(name, run);
 *     }
 *
 * The host must be booted, of its own for the suite, and not used by a `KprobeRegistry`.
 */
export function hostConformance(host: Host, facts: HostFacts): readonly HostCheck[] {
  const bench = new HostBench(host, facts);
  const verdicts = new Map<string, ConformanceError | null>();
  const judge = (spec: CheckSpec): ConformanceError | null => {
    const known = verdicts.get(spec.name);
    if (known !== undefined) return known;
    const verdict = judgeOne(spec, bench, (name) => judge(byName(name)));
    verdicts.set(spec.name, verdict);
    return verdict;
  };
  return ALL.map((spec) => ({
    name: spec.name,
    skip: spec.skip?.(bench) ?? null,
    run() {
      const verdict = judge(spec);
      if (verdict !== null) throw verdict;
    },
  }));
}

export interface HostReportRow {
  readonly name: string;
  /** `blocked`: an earlier check failed, without which this one says nothing. */
  readonly outcome: 'passed' | 'failed' | 'blocked' | 'skipped';
  /** Why, for all but `passed`. */
  readonly why: string;
  readonly error: ConformanceError | null;
}

export interface HostReport {
  readonly host: string;
  readonly rows: readonly HostReportRow[];
  /** Names of the checks that failed of themselves. */
  readonly failed: readonly string[];
}

/** Runs all checks and says how each came out. Throws nothing that a host did wrong. */
export function runHostConformance(host: Host, facts: HostFacts): HostReport {
  const rows = hostConformance(host, facts).map(rowOf);
  return { host: host.name, rows, failed: rows.flatMap(({ name, outcome }) => (outcome === 'failed' ? [name] : [])) };
}

/** The report as lines: what failed in full, the others by name. */
export function formatHostReport({ host, rows, failed }: HostReport): string {
  const lines = rows.map(
    ({ name, outcome, why }) => `${outcome.padEnd(8)}${name}${why === '' ? '' : `\n        ${why}`}`,
  );
  return [`${host}: ${rows.length} checks, ${failed.length} failed`, ...lines, ''].join('\n');
}

function rowOf({ name, skip, run }: HostCheck): HostReportRow {
  if (skip !== null) return { name, outcome: 'skipped', why: skip, error: null };
  try {
    run();
    return { name, outcome: 'passed', why: '', error: null };
  } catch (error) {
    if (!(error instanceof ConformanceError)) throw error;
    return { name, outcome: error.blockedBy === null ? 'failed' : 'blocked', why: error.message, error };
  }
}

function byName(name: string): CheckSpec {
  return ALL.find((spec) => spec.name === name) as CheckSpec;
}

/** A check that cannot be made for want of another one's subject is not held against those that need it. */
function judgeOne(
  spec: CheckSpec,
  bench: HostBench,
  verdictOf: (name: string) => ConformanceError | null,
): ConformanceError | null {
  const { name, contract, remedy } = spec;
  for (const needed of spec.needs ?? []) {
    if ((byName(needed).skip?.(bench) ?? null) !== null) continue;
    const verdict = verdictOf(needed);
    if (verdict === null) continue;
    const blockedBy = verdict.blockedBy ?? verdict.check;
    const wrong = `not judged, since this failed: ${blockedBy}`;
    return new ConformanceError(name, wrong, { contract, remedy: 'mend that first', blockedBy });
  }
  try {
    bench.check = name;
    spec.run(bench);
    return null;
  } catch (error) {
    if (error instanceof MachineGone) {
      const where = { contract, remedy: 'mend that first', blockedBy: error.during };
      return new ConformanceError(name, `not judged, since ${error.message}`, where);
    }
    const wrong = error instanceof Error ? error.message : String(error);
    return new ConformanceError(name, wrong, { contract, remedy });
  }
}
