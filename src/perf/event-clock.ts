import { u64 } from '../base/index.js';
import type { Host, HostClock } from '../host/index.js';

const CLOCK_MONOTONIC = 1;

/** Clocks by clockid; CLOCK_MONOTONIC_RAW (4) is not slewed here either. */
const CLOCK_READERS: ReadonlyMap<number, keyof HostClock> = new Map<number, keyof HostClock>([
  [0, 'realtime'],
  [CLOCK_MONOTONIC, 'monotonic'],
  [4, 'monotonic'],
  [7, 'boottime'],
  [11, 'tai'],
]);

const words = new Int32Array(2);

/** Nanoseconds of the host's clock `clockid`; those Linux refuses for perf events are not asked for. */
export function hostTime(host: Host, clockid: number = CLOCK_MONOTONIC): bigint {
  host.clock[CLOCK_READERS.get(clockid) ?? 'monotonic'](words);
  return u64(words[0], words[1]);
}

/** Measures how long an event has been enabled. */
export class EnabledTime {
  readonly #host: Host;
  #since: bigint | null = null;
  #past = 0n;

  constructor(host: Host) {
    this.#host = host;
  }

  get running(): boolean {
    return this.#since !== null;
  }

  get total(): bigint {
    return this.#since === null ? this.#past : this.#past + hostTime(this.#host) - this.#since;
  }

  start(): void {
    this.#since ??= hostTime(this.#host);
  }

  stop(): void {
    this.#past = this.total;
    this.#since = null;
  }
}
