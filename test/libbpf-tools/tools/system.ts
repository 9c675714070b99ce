import { type JournalEntry, JournalKind as Kind } from '../../../src/host/sim/index.js';
import { countBy, pidOf, signed, TaskNames, tgidOf } from '../journal-models.js';
import { decode, slots } from '../layout.js';
import { events, rows, sums, type Tool } from '../tool.js';

const NO_PID = -1;
/** Users that may not do what they try: files, ports, processes of root. */
const NOBODY = `repeat 6
op setuid:1000 open2:/etc/passwd create:/etc/c$i create:/tmp/c$i write:9 unlink:/etc/motd accept:80 kill:1 setuid:0
op brk:3 touch:3 accept:81 &
op dial:81
end
wait
`;

/** User of each task, who every task is until it calls setuid. */
class TaskUsers {
  readonly #users = new Map<number, number>();
  readonly #asked = new Map<number, number>();

  tell({ kind, a, b, c }: JournalEntry): void {
    if (kind === Kind.FORK) this.#users.set(pidOf(b), this.of(pidOf(a)));
    if (kind === Kind.SYSCALL_ENTER && b === SYS_SETUID) this.#asked.set(pidOf(a), Number(c));
    if (kind === Kind.SYSCALL_EXIT && b === SYS_SETUID && c === 0n)
      this.#users.set(pidOf(a), this.#asked.get(pidOf(a)) ?? 0);
  }

  of(pid: number): number {
    return this.#users.get(pid) ?? 0;
  }
}
const SYS_SETUID = 105n;

const CAPABLE = {
  pid: 'u32',
  cap: 'u32',
  tgid: 'u32',
  uid: 'u32',
  audit: 'i32',
  insetid: 'i32',
  ret: 'i32',
  comm: 16,
} as const;

/** What the tool tells of each question, from the journal alone. */
function capabilityChecks(journal: Iterable<JournalEntry>): unknown[] {
  const names = new TaskNames();
  const users = new TaskUsers();
  const checks: unknown[] = [];
  for (const entry of journal) {
    names.tell(entry);
    users.tell(entry);
    if (entry.kind !== Kind.CAPABLE) continue;
    const { a, b, c, d } = entry;
    const [audit, insetid] = [c & 2n ? 0 : 1, c & 4n ? 1 : 0];
    checks.push([tgidOf(a), b, pidOf(a), users.of(pidOf(a)), audit, insetid, signed(d), names.of(pidOf(a))]);
  }
  return checks;
}

const FREQ_MAX = 26;
const FREQ_STEP = 200;

/** Samples of each frequency, of all tasks and of each name, and the last frequency of each CPU. */
function frequencies(journal: Iterable<JournalEntry>): { cpus: string[]; slots: string[]; samples: number } {
  const names = new TaskNames();
  const mhz = new Map<number, number>();
  const counted: string[] = [];
  for (const entry of journal) {
    names.tell(entry);
    if (entry.kind === Kind.CPU_FREQUENCY) mhz.set(Number(entry.b), Number(entry.a) / 1000);
    const at = mhz.get(entry.cpu);
    if (entry.kind !== Kind.SAMPLE || at === undefined) continue;
    const slot = Math.min(Math.trunc(at / FREQ_STEP), FREQ_MAX - 1);
    counted.push(`all ${slot}`);
    if (pidOf(entry.a) !== 0) counted.push(`${names.of(pidOf(entry.a))} ${slot}`);
  }
  const cpus = [...mhz].map(([cpu, each]) => `CPU ${cpu}: ${each}`);
  return { cpus, slots: countBy(counted, (each) => each), samples: counted.length };
}

export const systemTools: readonly Tool[] = [
  {
    name: 'capable',
    workload: { script: NOBODY, seed: 3 },
    variables: { my_pid: NO_PID, targ_pid: NO_PID },
    maps: { stackmap: { valueSize: 8 * 127, maxEntries: 1024 } },
    compares: 'process, capability, user, options, answer and name of each check',
    compare: (session) =>
      rows(
        events(session, CAPABLE).map((event) => Object.values(event)),
        capabilityChecks(session.host.journal.entries()),
      ),
  },
  {
    name: 'cpufreq',
    workload: { workload: 'storm', seed: 3 },
    attach: { do_sample: { frequency: 2000 } },
    compares: 'samples of each name by frequency, and the last frequency of each CPU',
    compare: (session) => {
      const { cpus, slots: expected, samples } = frequencies(session.host.journal.entries());
      const slotsOf = (name: string, counts: readonly number[]): string[] =>
        counts.flatMap((count, slot) => (count > 0 ? [`${name} ${slot}: ${count}`] : []));
      const { slots: syswide } = session.variable('syswide') as unknown as { slots: readonly number[] };
      const mhz = session.variable('freqs_mhz') as unknown as readonly number[];
      return sums(
        [
          ...slotsOf('all', syswide),
          ...session
            .elements('hists')
            .flatMap(({ key, value }) => slotsOf(decode({ comm: 16 }, key).comm, slots(value, FREQ_MAX))),
          ...mhz.flatMap((each, cpu) => (each > 0 ? [`CPU ${cpu}: ${each}`] : [])),
        ],
        [...expected, ...cpus],
        samples,
      );
    },
  },
];
