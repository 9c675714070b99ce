/** Hits a second of one guest, by round; or why there are none. */
export type GuestRates =
  | { readonly host: string; readonly rounds: readonly number[] }
  | { readonly host: string; readonly unavailable: string };

/** Rounds, of which the best counts: a guest shares its machine with whatever else runs there. */
export const ROUNDS = 5;
