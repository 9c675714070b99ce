/** The next multiple of `to`, or `value` where it is one. Both are not negative; `to` is not 0. */
export function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
