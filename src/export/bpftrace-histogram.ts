/** Columns of the longest bar. */
const BAR_WIDTH = 52;
const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** One bucket as bpftrace's JSON has it: an end that is open is not there. */
export interface BpftraceBucket {
  readonly min?: bigint;
  readonly max?: bigint;
  readonly count: bigint;
}

interface Labelled extends BpftraceBucket {
  readonly label: string;
}

/**
 * What bpftrace prints for `hist()`. `slots` are its own: negative values, 0, 1, then [2, 4), [4, 8) ... From the first to the
 * last that counted anything; the longest bar is that of the largest count.
 */
export function formatBpftraceHist(slots: readonly (number | bigint)[]): string[] {
  return lines(used(slots.map(logBucket)));
}

/** The same buckets as data. */
export function bpftraceHistBuckets(slots: readonly (number | bigint)[]): BpftraceBucket[] {
  return used(slots.map(logBucket)).map(unlabelled);
}

/** What the values of `lhist(x, min, max, step)` are counted by. */
export interface LinearRange {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** What bpftrace prints for `lhist()`: `slots` are what lies below `min`, each step, and what is `max` and more. */
export function formatBpftraceLhist(slots: readonly (number | bigint)[], range: LinearRange): string[] {
  return lines(used(linearBuckets(slots, range)));
}

export function bpftraceLhistBuckets(slots: readonly (number | bigint)[], range: LinearRange): BpftraceBucket[] {
  return used(linearBuckets(slots, range)).map(unlabelled);
}

function logBucket(slot: number | bigint, index: number): Labelled {
  const count = BigInt(slot);
  if (index === 0) return { label: '(..., 0)', max: -1n, count };
  if (index <= 2) return { label: `[${index - 1}]`, min: BigInt(index - 1), max: BigInt(index - 1), count };
  const power = index - 2;
  const [min, end] = [1n << BigInt(power), 2n << BigInt(power)];
  return { label: `[${powerOfTwo(power)}, ${powerOfTwo(power + 1)})`, min, max: end - 1n, count };
}

/** 2^power with the unit below it: 512, 1K, 2K ... */
function powerOfTwo(power: number): string {
  const unit = Math.min(Math.floor(power / 10), UNITS.length - 1);
  return `${1n << BigInt(power - 10 * unit)}${UNITS[unit]}`;
}

function linearBuckets(slots: readonly (number | bigint)[], { min, max, step }: LinearRange): Labelled[] {
  // Whole ones: bpftrace counts what a last, shorter one would hold with what lies above.
  const steps = Math.floor((max - min) / step);
  return slots.slice(0, steps + 2).map((slot, index) => {
    const count = BigInt(slot);
    if (index === 0) return { label: `(..., ${linear(min, step)})`, max: BigInt(min) - 1n, count };
    if (index === steps + 1) return { label: `[${linear(max, step)}, ...)`, min: BigInt(max), count };
    const low = min + (index - 1) * step;
    const label = `[${linear(low, step)}, ${linear(low + step, step)})`;
    return { label, min: BigInt(low), max: BigInt(low + step) - 1n, count };
  });
}

/** Units are for histograms whose steps are whole K only. */
function linear(value: number, step: number): string {
  if (step % 1024 !== 0 || value === 0) return String(value);
  if (value % 1_048_576 === 0) return `${value / 1_048_576}M`;
  return value % 1024 === 0 ? `${value / 1024}K` : String(value);
}

function used(buckets: readonly Labelled[]): Labelled[] {
  const first = buckets.findIndex(({ count }) => count > 0n);
  return first < 0 ? [] : buckets.slice(first, buckets.findLastIndex(({ count }) => count > 0n) + 1);
}

function unlabelled({ label: _label, ...bucket }: Labelled): BpftraceBucket {
  return bucket;
}

function lines(buckets: readonly Labelled[]): string[] {
  const most = buckets.reduce((max, { count }) => (count > max ? count : max), 1n);
  return buckets.map(({ label, count }) => {
    const bar = '@'.repeat(Number((count * BigInt(BAR_WIDTH)) / most));
    return `${label.padEnd(16)}${String(count).padStart(8)} |${bar.padEnd(BAR_WIDTH)}|`;
  });
}
