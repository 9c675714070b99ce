import type { PtRegs } from '../arch/index.js';
import { PerfSwIds } from '../base/index.js';

/** One software event; valid only during the call. */
export interface SoftwareHit {
  readonly cpu: number;
  /** Thread whose event it is. */
  readonly tid: number;
  /** Registers of the event, or of the place in the kernel that tells of it (then only the pc is known). */
  readonly regs: PtRegs;
  /** What stack walks begin with; null: where the kernel tells of it. */
  readonly stackRegs: PtRegs | null;
  readonly user: boolean;
  /** The address that faulted, or 0. */
  readonly addr: bigint;
}

/** Software events that the machine's kernel counts, as far as the machine tells of them. */
export interface SoftwareSource {
  /** Whether PERF_COUNT_SW_* `config` can be had. */
  has(config: number): boolean;
  /** Calls `handler` for each event from now on. The result ends it. */
  start(config: number, handler: (hit: SoftwareHit) => void): () => void;
}

/** For a machine that tells of none. */
export const NO_SOFTWARE_EVENTS: SoftwareSource = { has: () => false, start: () => () => undefined };

const S = PerfSwIds;
/** Events that happen and are counted; all others measure time or count nothing. */
const COUNTED: readonly number[] = [
  S.PERF_COUNT_SW_PAGE_FAULTS,
  S.PERF_COUNT_SW_CONTEXT_SWITCHES,
  S.PERF_COUNT_SW_CPU_MIGRATIONS,
];

export function isCounted(config: number): boolean {
  return COUNTED.includes(config);
}
