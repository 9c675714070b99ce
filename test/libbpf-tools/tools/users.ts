import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import { tgidOf } from '../journal-models.js';
import { events, rows, type Tool } from '../tool.js';

/** Bytes of a line without the NUL that has to fit, too. */
const LINE_MAX = 79;

export const userTools: readonly Tool[] = [
  {
    name: 'gethostlatency',
    workload: { script: `httpd 80 12 &\nrepeat 12\ncurl 80 /etc/motd 62\nend\nwait\n`, seed: 3 },
    targets: {
      handle_entry: { kind: 'uprobe', path: '/lib/libc.so.6', symbol: 'getaddrinfo', offset: 0 },
      handle_return: { kind: 'uretprobe', path: '/lib/libc.so.6', symbol: 'getaddrinfo', offset: 0 },
    },
    watches: [{ symbol: 'getaddrinfo', path: '/lib/libc.so.6', enter: (look) => look.text(look.argument(0)) }],
    compares: 'every look-up: nanoseconds, process, name, host',
    compare: (session) => {
      const calls = session.execution.returnsOf('getaddrinfo');
      const tasks = session.tasksOf(calls);
      const readers = session.journal(Kind.OPEN).filter(({ text }) => text === '/etc/hosts');
      const looked = String(calls.map(({ tgid }) => String(tgid)).toSorted());
      if (String(readers.map(({ a }) => String(tgidOf(a))).toSorted()) !== looked)
        throw new RangeError('others read /etc/hosts');
      return rows(
        events(session, { time: 'u64', pid: 'u32', comm: 16, host: 80 }).map((event) => Object.values(event)),
        calls.map((call) => [call.left - call.entered, call.tgid, tasks.get(call)?.comm, call.seen]),
      );
    },
  },
  {
    name: 'bashreadline',
    // The shell under the name that the tool looks for.
    workload: { script: 'names link:/bin/sh,/bin/bash\nbash /etc/rc.shell\n', seed: 3 },
    targets: { printret: { kind: 'uretprobe', path: '/bin/sh', symbol: 'readline', offset: 0 } },
    watches: [{ symbol: 'readline', path: '/bin/sh', leave: (look) => look.text(look.result, LINE_MAX) }],
    compares: 'process and text of every line',
    compare: (session) => {
      const calls = session.execution.returnsOf('readline');
      const tasks = session.tasksOf(calls);
      const lines = calls.filter((call) => call.result !== 0n && tasks.get(call)?.comm === 'bash');
      return rows(
        events(session, { pid: 'u32', text: 80 }).map((event) => Object.values(event)),
        lines.map(({ tgid, returned }) => [tgid, returned]),
      );
    },
  },
];
