import type { HostBench } from './host-bench.js';

/** One thing that a host must get right, ready to run. */
export interface HostCheck {
  /** `area: what holds`. */
  readonly name: string;
  /** Why this host is not judged by it (a capability or a fact is missing), or null. */
  readonly skip: string | null;
  /** Throws a ConformanceError if it does not hold. Checks may be run in any order; each runs the machine at most once. */
  run(): void;
}

/** A check before it is tied to a host. */
export interface CheckSpec {
  readonly name: string;
  /** Which part of `Host` says so. */
  readonly contract: string;
  readonly remedy: string;
  /** Checks without which this one says nothing: if one of them fails this one is not judged. */
  readonly needs?: readonly string[];
  /** Why it does not apply, or null. */
  skip?(bench: HostBench): string | null;
  /** Ends by `Violation` where it does not hold. */
  run(bench: HostBench): void;
}

/** The machine broke while an earlier check ran it. */
export class MachineGone extends Error {
  readonly during: string;

  constructor(during: string) {
    super(`the machine broke while this ran: ${during}`);
    this.during = during;
  }
}

/** What a check found. The suite adds name, contract and remedy. */
export class Violation extends Error {}

/** Ends the check unless `holds`. */
export function must(holds: boolean, wrong: string | (() => string)): asserts holds {
  if (!holds) throw new Violation(typeof wrong === 'string' ? wrong : wrong());
}
