import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import { tgidOf } from '../journal-models.js';
import { events, rows, type Tool } from '../tool.js';

export const netTools: readonly Tool[] = [
  {
    name: 'gethostlatency',
    workload: { script: `httpd 80 12 &\nrepeat 12\ncurl 80 /etc/motd 62\nend\nwait\n`, seed: 3 },
    targets: {
      handle_entry: { kind: 'uprobe', path: '/lib/libc.so.6', symbol: 'getaddrinfo', offset: 0 },
      handle_return: { kind: 'uretprobe', path: '/lib/libc.so.6', symbol: 'getaddrinfo', offset: 0 },
    },
    compares: 'process of each look-up, which opens /etc/hosts',
    compare: (session) =>
      rows(
        events(session, { time: 'u64', pid: 'u32', comm: 16, host: 80 }).map(({ pid }) => pid),
        session
          .journal(Kind.OPEN)
          .filter(({ text }) => text === '/etc/hosts')
          .map(({ a }) => tgidOf(a)),
      ),
  },
];
