import type { V86Host } from '../../../src/host/v86/index.js';
import { GuestSession } from '../guest-session.js';

/** Nanoseconds between two looks at the console. */
const LOOK_NS = 5e6;

/** The init of the test guests on a host of v86, from where its console is now. Portable: runs in pages, too. */
export class V86Session extends GuestSession {
  constructor(host: V86Host) {
    const begin = host.console.length;
    const line = {
      get text(): string {
        return host.console.slice(begin);
      },
      write: (text: string): void => host.send(text),
    };
    super(line, () => {
      const stopped = host.run({ ns: LOOK_NS });
      if (stopped !== 'time') throw new Error(`the guest has stopped: ${stopped}\n${host.console.slice(-2000)}`);
    });
  }
}
