import { afterAll, describe, it } from 'vitest';
import { LinuxOracle, linuxOracle } from './linux-oracle.js';

export * from './linux-oracle.js';

/**
 * A `describe` whose tests ask the live kernel. Where that cannot be had the block is skipped with the
 * reason in its name, or fails if KSCOPE_REQUIRE_ORACLES=1.
 */
export function describeWithLinux(name: string, body: (linux: LinuxOracle) => void): void {
  const linux = linuxOracle();
  if (linux instanceof LinuxOracle) {
    describe(`${name} (Linux ${linux.release})`, () => {
      afterAll(() => linux.end());
      body(linux);
    });
    return;
  }
  const missing = `${name}: needs the live kernel: ${linux.unavailable}`;
  if (process.env['KSCOPE_REQUIRE_ORACLES'] === '1') {
    it(missing, () => {
      throw new Error(linux.unavailable);
    });
  } else {
    console.warn(`skipped: ${missing}`);
    describe.skip(missing, () => {
      it('is skipped', () => undefined);
    });
  }
}
