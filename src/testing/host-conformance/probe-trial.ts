import type { HostBench } from './host-bench.js';
import type { HostWork } from './host-facts.js';
import { MachineGone } from './host-check.js';
import { ProbeDriver } from './probe-driver.js';

/** A probe stood on the function while the workload ran, then it was taken out and the workload ran again. */
export interface ProbeTrial {
  readonly driver: ProbeDriver;
  /** What the machine did while the probe stood, null if it broke. */
  readonly work: HostWork | null;
  /** How the workload ended if it threw. */
  readonly broken: string | null;
  /** Hits after the breakpoint was taken out. */
  readonly hitsAfter: number;
  /** The second workload's error, if any. */
  readonly brokenAfter: string | null;
}

/** Runs the experiment. `followsReturns` sends the calls' returns through the trampoline. */
export function runProbeTrial(bench: HostBench, followsReturns = false): ProbeTrial {
  const driver = makeDriver(bench, followsReturns);
  bench.text.setTrapHandler(driver.handle);
  try {
    driver.arm();
    const first = attempt(() => bench.workload());
    driver.disarm();
    const before = driver.tally.hits;
    const second = first.error === null ? attempt(() => bench.workload()) : null;
    return {
      driver,
      work: first.result,
      broken: first.error,
      hitsAfter: driver.tally.hits - before + driver.tally.late,
      brokenAfter: second?.error ?? null,
    };
  } finally {
    finish(bench, driver);
  }
}

export function makeDriver(bench: HostBench, followsReturns = false): ProbeDriver {
  const { address, size } = bench.function;
  const longest = bench.host.arch.probing.maxInsnLength;
  const length = size > 0n && size < BigInt(longest) ? Number(size) : longest;
  return new ProbeDriver(bench, address, bench.bytes(address, length), followsReturns);
}

/** The handler stays while calls are out: an unhandled return would end the machine. */
export function finish(bench: HostBench, driver: ProbeDriver): void {
  if (driver.outstanding > 0) return;
  bench.text.setTrapHandler(null);
  driver.release();
}

export function attempt<T>(body: () => T): { result: T | null; error: string | null } {
  try {
    return { result: body(), error: null };
  } catch (error) {
    if (error instanceof MachineGone) throw error;
    return { result: null, error: error instanceof Error ? error.message : String(error) };
  }
}
