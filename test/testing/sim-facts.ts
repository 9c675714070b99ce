import { createSim, JournalKind, type SimHost } from '../../src/host/sim/index.js';
import type { HostFacts, HostWork } from '../../src/testing/index.js';

const MEMORY = 32 << 20;
const DIRECT_MAP = 0xffff_8880_0000_0000n;
/** A round of programs on both CPUs, one of which has a breakpoint of its own; then all is at rest for a while. */
const ROUND = [
  'op open:/etc/passwd close threads:2 open:/etc/none &',
  'op open:/etc/passwd compute:2000 close open:/etc/passwd open:/etc/none &',
  'op poke:int3 &',
  'op open:/etc/passwd read:100 close',
  'wait',
  'sleep 3000',
];
const SYS_NANOSLEEP = 35n;
const SIGTRAP = 5n;
/** Virtual nanoseconds a round never takes. */
const TOO_LONG = 400_000_000;
/** A part of the time between two rounds. */
const SETTLE_NS = 200_000;

/** A booted machine that does the same round again and again, with what the host kit wants to know of it. */
export function bootSimForKit(): { host: SimHost; facts: HostFacts } {
  const host = createSim({ memoryBytes: MEMORY, cpus: 2, script: ['forever', ...ROUND, 'end'].join('\n') });
  runRound(host);
  return { host, facts: simFacts(host) };
}

function simFacts(host: SimHost): HostFacts {
  return {
    function: 'do_sys_openat2',
    userArgument: 1,
    workload: () => runRound(host),
    interlude: () => {
      host.run({ ns: 150_000 });
      requireAlive(host);
    },
    scratch: { address: DIRECT_MAP + BigInt(MEMORY - 4 * 4096), size: 4 * 4096 },
    edge: DIRECT_MAP + BigInt(MEMORY),
    unmapped: 0xffff_9000_0000_0000n,
    userEnd: 0x8000_0000_0000n,
    // Whatever opens files in a round does it by this function of this program.
    program: {
      path: '/bin/op',
      offset: Number((host.programs.get('/bin/op')?.lookup('open')?.address ?? 0n) - 0x40_0000n),
    },
    tracepoint: 'sched_switch',
    foreign: () => {
      const from = host.journal.length;
      runRound(host);
      return { executed: 1, handled: count(host, from, JournalKind.EXIT, ({ b }) => (b & 0x7fn) === SIGTRAP) };
    },
  };
}

type Entry = ReturnType<SimHost['journal']['at']>;

/** Runs on until the shell sleeps between two rounds. */
function runRound(host: SimHost): HostWork {
  const from = host.journal.length;
  let next = from;
  const resting = (): boolean => {
    for (; next < host.journal.length; next++) {
      const { kind, b, a } = host.journal.at(next);
      if (kind === JournalKind.SYSCALL_ENTER && b === SYS_NANOSLEEP && isShell(host, a)) return true;
    }
    return false;
  };
  const why = host.run({ until: resting, ns: TOO_LONG });
  requireAlive(host);
  if (why !== 'until') throw new Error(`the simulator stopped: ${why}`);
  // The other CPU may be about to leave its last task.
  host.run({ ns: SETTLE_NS });
  requireAlive(host);
  const calls = count(host, from, JournalKind.OPEN);
  return { calls, exits: count(host, from, JournalKind.EXIT), programCalls: calls };
}

/** The shell is the first program that init starts. */
function isShell(host: SimHost, task: bigint): boolean {
  return host.tasks.commOf(Number(task & 0xffff_ffffn)) === 'sh';
}

function count(host: SimHost, from: number, kind: number, where: (entry: Entry) => boolean = () => true): number {
  let found = 0;
  for (let i = from; i < host.journal.length; i++) {
    const entry = host.journal.at(i);
    if (entry.kind === kind && where(entry)) found++;
  }
  return found;
}

function requireAlive(host: SimHost): void {
  if (host.oops !== null) throw new Error(host.oops.message);
}
