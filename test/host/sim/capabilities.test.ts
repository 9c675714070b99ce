import { describe, expect, it } from 'vitest';
import { Errno } from '../../../src/base/index.js';
import { createSim, JournalKind as Kind, type SimHost } from '../../../src/host/sim/index.js';
import { runToEnd, signed } from './kernel-machine.js';

const CAP_SYS_ADMIN = 21n;
const NOAUDIT = 2n;
const CAP_DAC_OVERRIDE = 1n;
const CAP_KILL = 5n;
const CAP_SETUID = 7n;
const CAP_NET_BIND_SERVICE = 10n;

function ended(script: string): SimHost {
  const host = createSim({ script, seed: 2 });
  expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
  return host;
}

/** Results of a system call of the one process of the script. */
function results(host: SimHost, number: bigint): number[] {
  return [...host.journal.entries(Kind.SYSCALL_EXIT)]
    .filter(({ a, b }) => a > 2n << 33n && b === number)
    .map(({ c }) => signed(c));
}

/** Capability and answer of each check but those for memory, which every mapping makes. */
function checks(host: SimHost): (readonly [bigint, number])[] {
  return [...host.journal.entries(Kind.CAPABLE)]
    .filter(({ b }) => b !== CAP_SYS_ADMIN)
    .map(({ b, d }) => [b, signed(d)]);
}

describe('capabilities', () => {
  it('root may do everything', () => {
    const host = ended('op open2:/etc/passwd create:/etc/mine unlink:/etc/mine accept:80 &\nop dial:80\nwait');
    expect(checks(host)).toEqual([[CAP_NET_BIND_SERVICE, 0]]);
    expect(results(host, 49n)).toEqual([0]);
  });

  it.each([
    ['opens files of others for writing', 'open2:/etc/passwd', 2n, -Errno.EACCES, CAP_DAC_OVERRIDE],
    ['makes files in directories of others', 'create:/etc/mine', 257n, -Errno.EACCES, CAP_DAC_OVERRIDE],
    ['removes files of others', 'unlink:/etc/motd', 87n, -Errno.EACCES, CAP_DAC_OVERRIDE],
    ['signals processes of others', 'kill:1', 62n, -Errno.EPERM, CAP_KILL],
    ['becomes root again', 'setuid:0', 105n, -Errno.EPERM, CAP_SETUID],
    ['takes ports below 1024', 'accept:80', 49n, -Errno.EACCES, CAP_NET_BIND_SERVICE],
  ] as const)('who is not root never %s', (_, operation, call, error, capability) => {
    const host = ended(`op setuid:1000 ${operation}`);
    expect(results(host, call).at(-1)).toBe(error);
    expect(checks(host).slice(1)).toEqual([[capability, -Errno.EPERM]]);
  });

  it('who is not root may do what needs none', () => {
    const host = ended(
      'op setuid:1000 open:/etc/passwd read:10 create:/tmp/mine write:10 close unlink:/tmp/mine setuid:1000',
    );
    expect(checks(host)).toEqual([
      [CAP_SETUID, 0],
      [CAP_SETUID, -Errno.EPERM],
    ]);
    expect(results(host, 1n)).toEqual([10]);
    expect(results(host, 87n)).toEqual([0]);
    expect(results(host, 105n)).toEqual([0, 0]);
  });

  it('every private mapping that may be written asks whether its owner may have the last pages', () => {
    const host = ended('op touch:3');
    const asked = [...host.journal.entries(Kind.CAPABLE)].filter(({ b, c }) => b === CAP_SYS_ADMIN && c === NOAUDIT);
    expect(asked.length).toBeGreaterThan(3);
    for (const { d } of asked) expect(d).toBe(0n);
  });
});
