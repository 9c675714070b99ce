import { BpfError, PerfEventReadFormat, PerfEventSampleFormat, PerfSwIds, PerfTypeId } from '../base/index.js';
import type { Host } from '../host/index.js';
import type { PerfEventAttr } from './perf-event-attr.js';
import type { PerfEventFlag } from './perf-event-flags.js';
import { SUPPORTED_SAMPLE_TYPE } from './sample-codec.js';
import { NO_SOFTWARE_EVENTS, type SoftwareSource } from './software-source.js';

/** flags of perf_event_open(2) */
export const PerfOpenFlag = {
  PERF_FLAG_FD_NO_GROUP: 1,
  PERF_FLAG_FD_OUTPUT: 2,
  PERF_FLAG_PID_CGROUP: 4,
  PERF_FLAG_FD_CLOEXEC: 8,
} as const;

export interface PerfEventTarget {
  /** Thread to follow, or -1 for all that run on `cpu`. */
  readonly pid: number;
  /** CPU to watch, or -1 for all on which `pid` runs. */
  readonly cpu: number;
  /** PERF_FLAG_* bits. */
  readonly flags?: number;
}

/** Linux's kernel.perf_event_max_sample_rate and kernel.perf_event_max_stack. */
export const PERF_MAX_SAMPLE_RATE = 100_000n;
export const PERF_MAX_STACK = 127;

/** Flags that change nothing here or are carried out; every other one asks for something that is not there. */
const SUPPORTED_FLAGS: ReadonlySet<PerfEventFlag> = new Set<PerfEventFlag>([
  'disabled',
  'inherit',
  'pinned',
  'exclusive',
  'exclude_user',
  'exclude_kernel',
  'exclude_hv',
  'exclude_idle',
  'freq',
  'inherit_stat',
  'inherit_thread',
  'watermark',
  'sample_id_all',
  'exclude_host',
  'exclude_guest',
  'exclude_callchain_kernel',
  'exclude_callchain_user',
  'use_clockid',
]);

/** CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_TAI: what `use_clockid` may name. */
const CLOCKS: readonly number[] = [0, 1, 4, 7, 11];

const SUPPORTED_SOFTWARE: readonly number[] = [
  PerfSwIds.PERF_COUNT_SW_CPU_CLOCK,
  PerfSwIds.PERF_COUNT_SW_TASK_CLOCK,
  PerfSwIds.PERF_COUNT_SW_DUMMY,
  PerfSwIds.PERF_COUNT_SW_BPF_OUTPUT,
];

/**
 * Throws what perf_event_open(2) would answer for this attribute and target, in its order (open flags,
 * attribute, period, task, CPU, event), then EOPNOTSUPP for what Linux has and kscope has not.
 */
export function checkPerfOpen(
  attr: PerfEventAttr,
  target: PerfEventTarget,
  host: Host,
  software: SoftwareSource = NO_SOFTWARE_EVENTS,
): void {
  checkOpenFlags(target.flags ?? 0);
  checkAttr(attr);
  checkPeriod(attr);
  checkTarget(target, host);
  checkEvent(attr);
  checkReadAndStack(attr);
  checkClock(attr);
  checkSupported(attr, target, software, host);
}

function refuse(
  code: 'EINVAL' | 'EOPNOTSUPP' | 'ENOENT',
  what: string,
  value?: string | number | bigint,
  remedy?: string,
): never {
  throw new BpfError(code, `opening a perf event: ${what}`, {
    ...(value === undefined ? {} : { value }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}

function checkOpenFlags(flags: number): void {
  if ((flags & ~15) !== 0) refuse('EINVAL', 'unknown open flags', `0x${flags.toString(16)}`);
}

function checkAttr(attr: PerfEventAttr): void {
  const { sampleType, flags } = attr;
  const bits = PerfEventSampleFormat;
  if (sampleType & bits.PERF_SAMPLE_BRANCH_STACK && attr.branchSampleType >> 3n === 0n) {
    refuse('EINVAL', 'PERF_SAMPLE_BRANCH_STACK without a branch type');
  }
  if (sampleType & bits.PERF_SAMPLE_REGS_USER && attr.sampleRegsUser === 0n)
    refuse('EINVAL', 'sample_regs_user is empty');
  if (sampleType & bits.PERF_SAMPLE_REGS_INTR && attr.sampleRegsIntr === 0n)
    refuse('EINVAL', 'sample_regs_intr is empty');
  if (sampleType & bits.PERF_SAMPLE_STACK_USER && (attr.sampleStackUser >= 0xffff || attr.sampleStackUser % 8 !== 0)) {
    refuse('EINVAL', 'sample_stack_user is not a multiple of 8 below 65535', attr.sampleStackUser);
  }
  if (sampleType & bits.PERF_SAMPLE_WEIGHT && sampleType & bits.PERF_SAMPLE_WEIGHT_STRUCT) {
    refuse('EINVAL', 'PERF_SAMPLE_WEIGHT and PERF_SAMPLE_WEIGHT_STRUCT exclude each other');
  }
  if (flags.has('inherit_thread') && !flags.has('inherit')) refuse('EINVAL', 'inherit_thread needs inherit');
  if (flags.has('remove_on_exec') && flags.has('enable_on_exec'))
    refuse('EINVAL', 'remove_on_exec excludes enable_on_exec');
  if (flags.has('sigtrap') && !flags.has('remove_on_exec')) refuse('EINVAL', 'sigtrap needs remove_on_exec');
}

function checkPeriod(attr: PerfEventAttr): void {
  if (!attr.flags.has('freq')) {
    if (attr.samplePeriod >= 1n << 63n) refuse('EINVAL', 'sample_period is negative', attr.samplePeriod);
  } else if (attr.samplePeriod > PERF_MAX_SAMPLE_RATE) {
    refuse('EINVAL', 'sample_freq is too high', attr.samplePeriod, `at most ${PERF_MAX_SAMPLE_RATE} samples a second`);
  }
}

/** perf_event_period(): EINVAL for an event that does not sample, 0, what is negative, and too high a frequency. */
export function checkNewPeriod(attr: PerfEventAttr, value: bigint, period: bigint): void {
  if (period === 0n) refuse('EINVAL', 'a new period for an event that does not sample');
  if (value === 0n) refuse('EINVAL', 'a new period of 0');
  checkPeriod({ ...attr, samplePeriod: value });
}

function checkTarget({ pid, cpu, flags = 0 }: PerfEventTarget, host: Host): void {
  if (flags & PerfOpenFlag.PERF_FLAG_PID_CGROUP) {
    if (pid === -1 || cpu === -1) refuse('EINVAL', 'PERF_FLAG_PID_CGROUP needs a cgroup and a CPU');
    refuse('EOPNOTSUPP', 'following a cgroup');
  }
  if (pid !== -1 && host.tasks.commOf(pid) === undefined) {
    throw new BpfError('ESRCH', 'opening a perf event: no such thread on the host', {
      value: pid,
      remedy: 'give -1 for all threads of a CPU',
    });
  }
  const known = Number.isInteger(cpu) && cpu >= 0 && cpu < host.cpus;
  if (!known && !(cpu === -1 && pid !== -1)) {
    refuse('EINVAL', 'neither a CPU of the host nor a thread on any CPU', cpu, `CPUs are 0 .. ${host.cpus - 1}`);
  }
}

function checkEvent(attr: PerfEventAttr): void {
  if (attr.type !== PerfTypeId.PERF_TYPE_SOFTWARE) {
    refuse(
      'ENOENT',
      `the host has no event source of type ${attr.type}`,
      attr.config,
      'use PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK to sample',
    );
  }
  if (attr.config > 11n) refuse('ENOENT', 'no such software event', attr.config);
}

function checkReadAndStack(attr: PerfEventAttr): void {
  const { PERF_SAMPLE_READ, PERF_SAMPLE_TID, PERF_SAMPLE_CALLCHAIN } = PerfEventSampleFormat;
  if (attr.flags.has('inherit') && attr.sampleType & PERF_SAMPLE_READ && !(attr.sampleType & PERF_SAMPLE_TID)) {
    refuse('EINVAL', 'inherit with PERF_SAMPLE_READ needs PERF_SAMPLE_TID');
  }
  if (attr.sampleType & PERF_SAMPLE_CALLCHAIN && attr.sampleMaxStack > PERF_MAX_STACK) {
    throw new BpfError('EOVERFLOW', 'opening a perf event: sample_max_stack is too large', {
      value: attr.sampleMaxStack,
      remedy: `at most ${PERF_MAX_STACK} frames`,
    });
  }
}

function checkClock(attr: PerfEventAttr): void {
  if (attr.flags.has('use_clockid') && !CLOCKS.includes(attr.clockid))
    refuse('EINVAL', 'unknown clockid', attr.clockid);
}

function checkSupported(attr: PerfEventAttr, target: PerfEventTarget, software: SoftwareSource, host: Host): void {
  const config = Number(attr.config);
  if (!SUPPORTED_SOFTWARE.includes(config) && !software.has(config)) {
    refuse(
      'EOPNOTSUPP',
      'a software event that the host does not tell of',
      attr.config,
      `${host.name} has no tracepoint for it`,
    );
  }
  for (const flag of attr.flags)
    if (!SUPPORTED_FLAGS.has(flag)) refuse('EOPNOTSUPP', `the flag ${flag} is not supported`);
  const unknown = attr.sampleType & ~SUPPORTED_SAMPLE_TYPE;
  if (unknown !== 0) refuse('EOPNOTSUPP', `PERF_SAMPLE_* bits that are not supported`, `0x${unknown.toString(16)}`);
  if (attr.readFormat & PerfEventReadFormat.PERF_FORMAT_GROUP)
    refuse('EOPNOTSUPP', 'PERF_FORMAT_GROUP: events stand alone');
  if (target.pid === -1) return;
  if (attr.flags.has('inherit')) refuse('EOPNOTSUPP', 'inherit for a thread: children are not followed');
  if (attr.sampleType & PerfEventSampleFormat.PERF_SAMPLE_READ)
    refuse('EOPNOTSUPP', 'PERF_SAMPLE_READ for a thread: its time is not counted');
}
