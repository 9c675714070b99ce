/** Nanoseconds of a tick at CONFIG_HZ=250. */
const TICK_NS = 4_000_000n;
const NSEC_PER_SEC = 1_000_000_000n;

/**
 * When a counted event overflows: every so many events, or so that it does so many times a second
 * (perf_swevent_set_period(), perf_adjust_period() of kernel/events/core.c).
 */
export class EventPeriod {
  readonly #frequency: bigint;
  /** Events between two overflows, as things stand. */
  period: bigint;
  #left = 0n;
  #lastOverflow = 0n;
  #lastTick = 0n;
  #sinceTick = 0n;

  /** `frequency`: `value` is overflows a second. A value of 0: there are none. */
  constructor(value: bigint, frequency: boolean) {
    this.#frequency = frequency ? value : 0n;
    this.period = frequency ? 1n : value;
  }

  /** PERF_EVENT_IOC_PERIOD. */
  change(value: bigint): EventPeriod {
    return new EventPeriod(value, this.#frequency !== 0n);
  }

  /** One event at time `now`. The period that has run out, or 0. */
  count(now: bigint): bigint {
    if (this.period === 0n) return 0n;
    if (this.#frequency !== 0n) this.#tick(now);
    this.#left++;
    if (this.#left < this.period) return 0n;
    const over = this.period;
    this.#left = 0n;
    if (this.#frequency !== 0n) this.#adjustAtOverflow(now);
    return over;
  }

  /** What the scheduler's tick does: the events since the last one tell the rate. */
  #tick(now: bigint): void {
    this.#sinceTick++;
    if (this.#lastTick === 0n) this.#lastTick = now;
    const elapsed = now - this.#lastTick;
    if (elapsed < TICK_NS) return;
    this.#adjust(elapsed, this.#sinceTick);
    this.#lastTick = now;
    this.#sinceTick = 0n;
  }

  #adjustAtOverflow(now: bigint): void {
    const elapsed = now - this.#lastOverflow;
    if (this.#lastOverflow !== 0n && elapsed > 0n && elapsed < 2n * TICK_NS) this.#adjust(elapsed, this.period);
    this.#lastOverflow = now;
  }

  /** Moves the period an eighth of the way to what the rate asks for. */
  #adjust(elapsed: bigint, events: bigint): void {
    const wanted = (events * NSEC_PER_SEC) / (elapsed * this.#frequency);
    const difference = wanted - this.period;
    this.period += (difference + (difference >= 0n ? 7n : -7n)) / 8n;
    if (this.period < 1n) this.period = 1n;
    if (this.#left > 8n * this.period) this.#left = 0n;
  }
}
