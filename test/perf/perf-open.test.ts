import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { Errno } from '../../src/base/index.js';
import { parsePerfEventAttr } from '../../src/perf/index.js';
import { type GoldenOpen, loadLinuxGolden } from './linux-golden.js';
import { PerfFixture } from './perf-fixture.js';

const golden = loadLinuxGolden();
const fixture = new PerfFixture();
/** The golden's thread 0 is the recording process itself; here a thread of the host stands for it. */
const self = fixture.host.task.pid;

function openHere({ attr, pid, cpu, flags }: GoldenOpen): number {
  try {
    fixture.perf.open(parsePerfEventAttr(attr), { pid: pid === 0 ? self : pid, cpu, flags }).close();
    return 0;
  } catch (error) {
    if (error instanceof BpfError) return -error.errno;
    throw error;
  }
}

/** What Linux opens and kscope says EOPNOTSUPP to, by name. */
const MISSING = new Set([
  ...[1, 8, 9, 12, 13, 17, 23, 24, 26, 27, 28, 29, 30, 32, 33, 34, 36].map((bit) => `flag-bit-${bit}`),
  ...[4, 13, 14, 15, 17, 19, 20, 21, 22, 23, 24].map((bit) => `sample-type-bit-${bit}`),
  'read-format-bit-3',
  ...[2, 3, 4, 5, 6, 7, 8, 11].map((config) => `software-${config}`),
  'remove-on-exec',
  'sigtrap-with-remove-on-exec',
  'inherit-thread',
  'inherit-and-sample-read-and-tid',
  'write-backward',
]);

describe('perf_event_open', () => {
  it.each(golden.opens)('$name answers as Linux', (open) => {
    expect(openHere(open)).toBe(MISSING.has(open.name) ? -Errno.EOPNOTSUPP : open.result);
  });

  it('only refuses with EOPNOTSUPP what Linux would open', () => {
    const results = new Map(golden.opens.map(({ name, result }) => [name, result]));
    expect([...MISSING].filter((name) => results.get(name) !== 0)).toEqual([]);
  });

  it.each([
    [
      { pid: -1, cpu: 7 },
      'opening a perf event: neither a CPU of the host nor a thread on any CPU [value 7]: EINVAL; CPUs are 0 .. 1',
    ],
    [
      { pid: 5, cpu: -1 },
      'opening a perf event: no such thread on the host [value 5]: ESRCH; give -1 for all threads of a CPU',
    ],
  ])('%o: %s', (target, message) => {
    const attr = parsePerfEventAttr(golden.opens[0].attr);
    expect(() => fixture.perf.open(attr, target)).toThrow(message);
  });

  it('leaves nothing open that was refused', () => {
    expect(fixture.perf.list).toEqual([]);
  });
});
