import type { parseArgs } from 'node:util';
import { SAMPLED_EVENTS, type SampledEvent, type SamplingOptions } from '../machine/index.js';
import type { Engine } from '../runtime/index.js';
import { engineOption } from './engine.js';
import { type HostSpec, parseHostSpec } from './hosts/host-spec.js';
import { integerOption, secondsOption } from './options.js';
import { UsageError } from './usage-error.js';

/** How an object is run on a host; shared by every command that runs one. */
export interface RunOptions {
  readonly file: string;
  readonly host: HostSpec;
  readonly engine: Engine;
  readonly workload: string;
  readonly seed: number;
  readonly cpus: number;
  /** Nanoseconds of the host's clock; absent: until the workload has ended. */
  readonly duration: bigint | undefined;
  /** What perf_event programs sample, and how often. */
  readonly sampling: Pick<SamplingOptions, 'event' | 'frequency' | 'period' | 'periodNs'>;
  /** Map whose elements `iter/bpf_map_elem` programs walk. */
  readonly map: string | undefined;
  /** Global variables to set before load, as `name`, `text`. */
  readonly variables: readonly (readonly [name: string, text: string])[];
}

/** Definitions for `parseArgs` of the options that every such command takes. */
export const RUN_OPTIONS = {
  host: { type: 'string' },
  engine: { type: 'string' },
  workload: { type: 'string' },
  seed: { type: 'string' },
  cpus: { type: 'string' },
  duration: { type: 'string' },
  frequency: { type: 'string' },
  event: { type: 'string' },
  period: { type: 'string' },
  map: { type: 'string' },
  set: { type: 'string', multiple: true },
  json: { type: 'boolean', short: 'j' },
} as const;

type RunValues = ReturnType<typeof parseArgs<{ options: typeof RUN_OPTIONS }>>['values'];

const DEFAULT_SEED = 1;
const DEFAULT_CPUS = 2;
/** In step with nothing that happens a hundred times a second. */
const DEFAULT_FREQUENCY = 99;

export function runOptions(file: string, values: RunValues): RunOptions {
  const host = parseHostSpec(values.host);
  refuseForeign(host, values);
  const cpus = integerOption('cpus', values.cpus, DEFAULT_CPUS);
  if (cpus < 1 || cpus > 8) throw new UsageError(`--cpus takes 1 to 8, not ${cpus}`);
  return {
    file,
    host,
    engine: engineOption(values.engine),
    workload: values.workload ?? 'mixed',
    seed: integerOption('seed', values.seed, DEFAULT_SEED),
    cpus,
    duration: secondsOption('duration', values.duration),
    sampling: samplingOptions(values),
    map: values.map,
    variables: (values.set ?? []).map(assignment),
  };
}

/** What a host cannot be told is refused: unsaid, it would look as if it had been heeded. */
function refuseForeign({ kind }: HostSpec, values: RunValues): void {
  if (kind === 'sim') return;
  const foreign = (['workload', 'seed', ...(kind === 'v86' ? (['cpus'] as const) : [])] as const).find(
    (name) => values[name] !== undefined,
  );
  if (foreign === undefined) return;
  throw new UsageError(`--${foreign} is not for ${values.host}: the guest's kernel and its init decide that`);
}

function samplingOptions({ event: name = 'cpu-clock', frequency, period }: RunValues): RunOptions['sampling'] {
  if (!isSampled(name)) {
    throw new UsageError(`--event takes ${Object.keys(SAMPLED_EVENTS).join(', ')}, not "${name}"`);
  }
  if (frequency !== undefined && period !== undefined) throw new UsageError('give --frequency or --period, not both');
  const isClock = name.endsWith('-clock');
  if (period !== undefined) {
    const every = BigInt(integerOption('period', period, 0));
    if (every < 1n) throw new UsageError(`--period takes 1 and more, not ${period}`);
    return { event: name, ...(isClock ? { periodNs: every } : { period: every }) };
  }
  return frequency === undefined && !isClock ? { event: name } : { event: name, frequency: frequencyOption(frequency) };
}

function isSampled(name: string): name is SampledEvent {
  return Object.hasOwn(SAMPLED_EVENTS, name);
}

function frequencyOption(text: string | undefined): number {
  const frequency = integerOption('frequency', text, DEFAULT_FREQUENCY);
  if (frequency < 1 || frequency > 1_000_000) throw new UsageError(`--frequency takes 1 to 1000000, not ${frequency}`);
  return frequency;
}

function assignment(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`--set takes NAME=VALUE, not "${text}"`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}
