import { describe, it } from 'vitest';

/** Why an oracle cannot be asked. */
export interface Unavailable {
  readonly unavailable: string;
}

/** KSCOPE_REQUIRE_ORACLES=1: tests whose oracle is missing fail. */
export const oraclesRequired = process.env['KSCOPE_REQUIRE_ORACLES'] === '1';

/**
 * A `describe` whose tests ask `oracle`. Where there is none its tests are skipped, with the reason printed and in
 * the name, or fail if oracles are required.
 */
export function describeWith<T extends object>(
  name: string,
  oracle: T,
  tests: (oracle: Exclude<T, Unavailable>) => void,
): void {
  if (isAvailable(oracle)) {
    describe(name, () => tests(oracle));
    return;
  }
  const { unavailable } = oracle as Unavailable;
  const missing = `${name}: needs an oracle: ${unavailable}`;
  if (oraclesRequired) {
    it(missing, () => {
      throw new Error(unavailable);
    });
    return;
  }
  console.warn(`skipped: ${missing}`);
  describe.skip(missing, () => {
    it('is skipped', () => undefined);
  });
}

function isAvailable<T extends object>(oracle: T): oracle is Exclude<T, Unavailable> {
  return !('unavailable' in oracle);
}
