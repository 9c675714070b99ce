import { hi32, lo32 } from '../../base/index.js';
import type { HostClock } from '../index.js';

const NS_PER_MS = 1e6;
/** Linux' clocks of atomic and civil time differ by this many seconds since 2017. */
const TAI_OFFSET_NS = 37_000_000_000n;

/**
 * Clocks of a machine whose own cannot be read: the time it has been running since it was attached to, which stands still
 * when the machine does.
 */
export class RunningClock implements HostClock {
  readonly #hz: bigint;
  readonly #epochNs: bigint;
  #runMs = 0;
  #since: number | null = null;

  /** `hz` is how often a jiffy passes in a second. */
  constructor(hz = 250) {
    this.#hz = BigInt(hz);
    this.#epochNs = BigInt(Date.now()) * 1_000_000n;
  }

  /** The machine runs from now on. */
  start(): void {
    this.#since ??= performance.now();
  }

  stop(): void {
    if (this.#since !== null) this.#runMs += performance.now() - this.#since;
    this.#since = null;
  }

  get ns(): bigint {
    const running = this.#since === null ? 0 : performance.now() - this.#since;
    return BigInt(Math.round((this.#runMs + running) * NS_PER_MS));
  }

  monotonic(out: Int32Array): void {
    put(out, this.ns);
  }

  boottime(out: Int32Array): void {
    put(out, this.ns);
  }

  realtime(out: Int32Array): void {
    put(out, this.#epochNs + this.ns);
  }

  tai(out: Int32Array): void {
    put(out, this.#epochNs + this.ns + TAI_OFFSET_NS);
  }

  jiffies(out: Int32Array): void {
    put(out, (this.ns * this.#hz) / 1_000_000_000n);
  }
}

function put(out: Int32Array, value: bigint): void {
  out[0] = lo32(value);
  out[1] = hi32(value);
}
