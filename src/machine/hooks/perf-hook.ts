import { BpfError, PerfSwIds, PerfTypeId } from '../../base/index.js';
import { type PerfEvent, perfEventAttr, type PerfEventAttr, type PerfEvents } from '../../perf/index.js';
import type { BpfProgram } from '../../runtime/index.js';
import {
  addAccounts,
  type AttachedHook,
  EMPTY_ACCOUNT,
  type Hook,
  type HookAccount,
  type HookOptions,
} from './hook.js';
import { callAccount } from './call-account.js';

/** Which CPUs or which thread to sample, and how often. */
export interface SamplingOptions {
  /** Samples per second of each CPU; default 99. Not together with `periodNs`. */
  readonly frequency?: number;
  /** Nanoseconds between samples. */
  readonly periodNs?: bigint;
  /** CPUs to sample; default: all. */
  readonly cpus?: readonly number[];
  /** Thread to sample, on whatever of those CPUs it runs. */
  readonly pid?: number;
}

/** In step with nothing that happens a hundred times a second. */
const DEFAULT_FREQUENCY = 99;

/** The CPU clock: one perf event per CPU, or one that follows a thread. */
export function perfHook(perf: PerfEvents, sampling: SamplingOptions): Hook {
  const attr = clockAttr(sampling);
  return {
    name: 'perf_event:cpu-clock',
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
      return attachedTo(events);
    },
  };
}

function attachedTo(events: readonly PerfEvent[]): AttachedHook {
  return {
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

function clockAttr({ frequency, periodNs }: SamplingOptions): PerfEventAttr {
  if (frequency !== undefined && periodNs !== undefined) {
    throw new BpfError('EINVAL', 'attaching to the CPU clock', { remedy: 'give a frequency or a period, not both' });
  }
  if (frequency !== undefined && (!Number.isInteger(frequency) || frequency <= 0)) {
    throw new RangeError(`a sampling frequency is a positive integer, not ${frequency}`);
  }
  const byPeriod = periodNs !== undefined;
  return perfEventAttr({
    type: PerfTypeId.PERF_TYPE_SOFTWARE,
    config: BigInt(PerfSwIds.PERF_COUNT_SW_CPU_CLOCK),
    samplePeriod: byPeriod ? periodNs : BigInt(frequency ?? DEFAULT_FREQUENCY),
    flags: byPeriod ? ['disabled'] : ['disabled', 'freq'],
  });
}

function targetsOf(perf: PerfEvents, { cpus, pid }: SamplingOptions): { pid: number; cpu: number }[] {
  if (pid !== undefined && cpus === undefined) return [{ pid, cpu: -1 }];
  const watched = cpus ?? Array.from({ length: perf.cpus }, (_, cpu) => cpu);
  return watched.map((cpu) => ({ pid: pid ?? -1, cpu }));
}
