import type { HostFacts } from '../../../src/testing/index.js';
import type { BareGuest } from './bare-guest.js';

const ROUNDS = 4;
/** As many as it takes for breakpoints in kernel and in user mode. */
const FOREIGN_ROUNDS = 8;
/** Far behind all memory, where no device is either. */
const HOLE = 1n << 44n;

/** What the host kit wants to know of the bare-metal kernel. */
export function bareFacts(guest: BareGuest): HostFacts {
  return {
    function: 'device_read',
    workload: () => ({ calls: guest.work(ROUNDS)['device_read'] }),
    interlude: () => {
      guest.load(guest.slow ? ROUNDS : 50 * ROUNDS);
      guest.run(guest.slow ? 20e6 : 2e6);
    },
    scratch: guest.scratch,
    edge: guest.memoryEnd,
    unmapped: HOLE,
    foreign: () => {
      guest.restSoon();
      const before = guest.breaksDone;
      const { own_breaks, user_breaks } = guest.work(FOREIGN_ROUNDS);
      const { own, user } = guest.breaksDone;
      return { executed: own - before.own + (user - before.user), handled: own_breaks + user_breaks };
    },
  };
}
