import { afterAll } from 'vitest';
import { describeWith } from './describe-with.js';
import { LinuxOracle, linuxOracle } from './linux-oracle.js';

export * from './linux-oracle.js';

/** A `describe` whose tests ask the live kernel; see `describeWith` for where that cannot be had. */
export function describeWithLinux(name: string, body: (linux: LinuxOracle) => void): void {
  const linux = linuxOracle();
  const release = linux instanceof LinuxOracle ? ` ${linux.release}` : '';
  describeWith(`${name} (Linux${release})`, linux, (oracle) => {
    afterAll(() => oracle.end());
    body(oracle);
  });
}
