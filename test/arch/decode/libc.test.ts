import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { capstone } from '../../oracle/capstone.js';
import { describeWith, oraclesRequired, type Unavailable } from '../../oracle/describe-with.js';
import { objdump, type Objdump } from '../../oracle/objdump.js';
import { compareListing } from './listing.js';

/** Instructions to compare; all of libc where oracles are required. */
const LIMIT = Number(process.env['KSCOPE_CASES'] ?? (oraclesRequired ? Infinity : 20_000));
const LIBC = '/lib/x86_64-linux-gnu/libc.so.6';

function objdumpAndLibc(): Objdump | Unavailable {
  return existsSync(LIBC) ? objdump() : { unavailable: `there is no ${LIBC}` };
}

describeWith('lengths of the instructions of libc', objdumpAndLibc(), (oracle) => {
  it('agree with objdump and with Capstone', async () => {
    const cs = await capstone('x86_64');
    const { differences, compared, bad, asked, unknown } = await compareListing(oracle, LIBC, 64, {
      limit: LIMIT,
      capstone: cs,
    });
    cs.close();
    console.log(
      `libc: ${compared} compared, ${bad} bad; Capstone: ${asked} asked, unknown`,
      Object.fromEntries(unknown),
    );
    expect(differences).toEqual([]);
    expect(bad).toBe(0);
    expect(compared).toBeGreaterThanOrEqual(Math.min(LIMIT, 300_000));
    const unknownToCapstone = [...unknown.values()].reduce((sum, count) => sum + count, 0);
    expect(unknownToCapstone).toBeLessThan(asked / 1000);
  }, 600_000);
});
