/** Hits a second of one guest, by round; or why there are none. */
export type GuestRates =
  | { readonly host: string; readonly rounds: readonly number[] }
  | { readonly host: string; readonly unavailable: string };
