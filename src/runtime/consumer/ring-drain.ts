import type { RecordFlow, RingPlace } from '../ring/index.js';

/** Hands events to `deliver` as they come off one ring; see `drainRing`. */
export type RingDrain<E> = (flow: RecordFlow, deliver: (event: E) => void, limit: number) => number;

/** A drain that `make` writes anew whenever memory has grown and its views are others. */
export function renewedDrain<E>(ring: RingPlace, make: () => RingDrain<E>): RingDrain<E> {
  const { memory } = ring;
  let words: Int32Array | null = null;
  let drain: RingDrain<E> = () => 0;
  return (flow, deliver, limit) => {
    let taken = 0;
    do {
      if (memory.i32 !== words) {
        words = memory.i32;
        drain = make();
      }
      taken += drain(flow, deliver, limit - taken);
    } while (memory.i32 !== words && taken < limit && !flow.halted);
    return taken;
  };
}
