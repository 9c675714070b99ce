/** What one producer and one consumer on two threads did in one round. */
export interface Rate {
  readonly attempts: number;
  readonly consumed: number;
  readonly seconds: number;
}

/** Millions of records a second that reached the callback. */
export function consumedPerSecond({ consumed, seconds }: Rate): number {
  return consumed / seconds / 1e6;
}

/** Attempts whose record had not reached the callback when the time was over, in percent: most found the ring full. */
export function lostPercent({ attempts, consumed }: Rate): number {
  return 100 * (1 - consumed / attempts);
}
