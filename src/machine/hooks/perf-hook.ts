import { BpfError, PerfSwIds, PerfTypeId } from '../../base/index.js';
import { isCounted, type PerfEvent, perfEventAttr, type PerfEventAttr, type PerfEvents } from '../../perf/index.js';
import type { BpfProgram } from '../../runtime/index.js';
import {
  addAccounts,
  type AttachedHook,
  EMPTY_ACCOUNT,
  type Hook,
  type HookAccount,
  type HookOptions,
} from './hook.js';
import type { LinkDetails } from '../link-details.js';
import { callAccount } from './call-account.js';

/** Events to sample, by perf's names. */
export const SAMPLED_EVENTS = {
  'cpu-clock': PerfSwIds.PERF_COUNT_SW_CPU_CLOCK,
  'task-clock': PerfSwIds.PERF_COUNT_SW_TASK_CLOCK,
  'page-faults': PerfSwIds.PERF_COUNT_SW_PAGE_FAULTS,
  'context-switches': PerfSwIds.PERF_COUNT_SW_CONTEXT_SWITCHES,
  'cpu-migrations': PerfSwIds.PERF_COUNT_SW_CPU_MIGRATIONS,
} as const;

export type SampledEvent = keyof typeof SAMPLED_EVENTS;

/** Which event to sample, on which CPUs or of which thread, and how often. */
export interface SamplingOptions {
  /** Default: the CPU clock. */
  readonly event?: SampledEvent;
  /** Samples per second of each CPU; default 99 for clocks. Not together with a period. */
  readonly frequency?: number;
  /** Nanoseconds between samples of a clock. */
  readonly periodNs?: bigint;
  /** Events between samples of one that is counted; default 1. */
  readonly period?: bigint;
  /** CPUs to sample; default: all. */
  readonly cpus?: readonly number[];
  /** Thread to sample, on whatever of those CPUs it runs. */
  readonly pid?: number;
}

/** In step with nothing that happens a hundred times a second. */
const DEFAULT_FREQUENCY = 99;

/** A software event: one perf event per CPU, or one that follows a thread. */
export function perfHook(perf: PerfEvents, sampling: SamplingOptions): Hook {
  const attr = eventAttr(sampling);
  return {
    name: `perf_event:${sampling.event ?? 'cpu-clock'}`,
    attach(program: BpfProgram, options: HookOptions): AttachedHook {
      const events: PerfEvent[] = [];
      try {
        for (const target of targetsOf(perf, sampling)) {
          const event = perf.open(attr, target);
          events.push(event);
          event.setProgram(program, options);
        }
        for (const event of events) event.enable();
      } catch (error) {
        for (const event of events) event.close();
        throw error;
      }
      return attachedTo(events, () => ({
        type: 7,
        perf_event_type: 6,
        event_type: attr.type,
        config: attr.config,
        cookie: options.cookie ?? 0n,
      }));
    },
  };
}

function attachedTo(events: readonly PerfEvent[], details: () => LinkDetails): AttachedHook {
  return {
    details,
    setEnabled(enabled) {
      for (const event of events)
        if (enabled) event.enable();
        else event.disable();
    },
    account: () => events.reduce((sum, event) => addAccounts(sum, accountOf(event)), EMPTY_ACCOUNT),
    detach() {
      for (const event of events) event.close();
    },
  };
}

function accountOf(event: PerfEvent): HookAccount {
  const counts = event.programCounts;
  return counts === null ? EMPTY_ACCOUNT : callAccount(counts);
}

function eventAttr({ event = 'cpu-clock', frequency, periodNs, period }: SamplingOptions): PerfEventAttr {
  const what = `attaching to ${event}`;
  const config = SAMPLED_EVENTS[event];
  const given = isCounted(config) ? period : periodNs;
  if ((isCounted(config) ? periodNs : period) !== undefined) {
    const remedy = isCounted(config) ? 'it is counted: its period is a number of events' : 'a clock has a period in ns';
    throw new BpfError('EINVAL', what, { remedy });
  }
  if (frequency !== undefined && given !== undefined) {
    throw new BpfError('EINVAL', what, { remedy: 'give a frequency or a period, not both' });
  }
  if (frequency !== undefined && (!Number.isInteger(frequency) || frequency <= 0)) {
    throw new RangeError(`a sampling frequency is a positive integer, not ${frequency}`);
  }
  const byPeriod = given !== undefined || (isCounted(config) && frequency === undefined);
  return perfEventAttr({
    type: PerfTypeId.PERF_TYPE_SOFTWARE,
    config: BigInt(config),
    samplePeriod: byPeriod ? (given ?? 1n) : BigInt(frequency ?? DEFAULT_FREQUENCY),
    flags: byPeriod ? ['disabled'] : ['disabled', 'freq'],
  });
}

function targetsOf(perf: PerfEvents, { cpus, pid }: SamplingOptions): { pid: number; cpu: number }[] {
  if (pid !== undefined && cpus === undefined) return [{ pid, cpu: -1 }];
  const watched = cpus ?? Array.from({ length: perf.cpus }, (_, cpu) => cpu);
  return watched.map((cpu) => ({ pid: pid ?? -1, cpu }));
}
