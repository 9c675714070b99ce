import { type JournalEntry, JournalKind as Kind } from '../../../src/host/sim/machine/sim-journal.js';
import { pidOf, signed, tgidOf } from './kernel-machine.js';

/** A law takes a run's journal and says where it was broken. */
export type JournalLaw = (entries: readonly JournalEntry[], cpus: number) => string[];

const NR_EXIT = new Set([60, 231]);
const NR_EXECVE = 59;
/** Comes back to where the signal was, which is no system call. */
const NR_RT_SIGRETURN = 15;

const at = (entry: JournalEntry): string => `at ${entry.time} on cpu ${entry.cpu}`;

/** On each CPU the task switched to is the one switched from next; it begins with the idle task. */
const switchesChain: JournalLaw = (entries, cpus) => {
  const running = new Array<number>(cpus).fill(0);
  const broken: string[] = [];
  for (const entry of entries) {
    if (entry.kind !== Kind.SWITCH) continue;
    if (Number(entry.a) !== running[entry.cpu])
      broken.push(`switch from ${entry.a}, but ${running[entry.cpu]} ran ${at(entry)}`);
    if (entry.a === entry.b) broken.push(`switch from ${entry.a} to itself ${at(entry)}`);
    running[entry.cpu] = Number(entry.b);
  }
  return broken;
};

/** No task runs on two CPUs. */
const oneCpuAtATime: JournalLaw = (entries) => {
  const where = new Map<number, number>();
  const broken: string[] = [];
  for (const entry of entries) {
    if (entry.kind !== Kind.SWITCH) continue;
    where.delete(Number(entry.a));
    const next = Number(entry.b);
    if (next === 0) continue;
    if (where.has(next)) broken.push(`pid ${next} runs on cpu ${where.get(next)} already ${at(entry)}`);
    where.set(next, entry.cpu);
  }
  return broken;
};

/** What a task does, it does on the CPU that switched to it. */
const tasksActWhereTheyRun: JournalLaw = (entries, cpus) => {
  const running = new Array<number>(cpus).fill(0);
  const acts: ReadonlySet<number> = new Set([
    Kind.SYSCALL_ENTER,
    Kind.SYSCALL_EXIT,
    Kind.OPEN,
    Kind.READ,
    Kind.WRITE,
    Kind.EXEC,
    Kind.EXIT,
  ]);
  const broken: string[] = [];
  for (const entry of entries) {
    if (entry.kind === Kind.SWITCH) running[entry.cpu] = Number(entry.b);
    else if (acts.has(entry.kind) && pidOf(entry.a) !== running[entry.cpu]) {
      broken.push(`pid ${pidOf(entry.a)} did ${entry.kind}, but ${running[entry.cpu]} runs ${at(entry)}`);
    }
  }
  return broken;
};

/** A task that went to sleep runs again only after it was woken; a new one only after its first wake-up. */
const sleepersAreWoken: JournalLaw = (entries) => {
  const asleep = new Set<number>();
  const known = new Set<number>([0]);
  const broken: string[] = [];
  for (const entry of entries) {
    if (entry.kind === Kind.WAKEUP) {
      asleep.delete(Number(entry.b));
      known.add(Number(entry.b));
    } else if (entry.kind === Kind.SWITCH) {
      const next = Number(entry.b);
      if (asleep.has(next)) broken.push(`pid ${next} runs though nobody woke it ${at(entry)}`);
      if (!known.has(next)) broken.push(`pid ${next} runs before its first wake-up ${at(entry)}`);
      if (entry.c !== 0n && entry.d === 0n) asleep.add(Number(entry.a));
    }
  }
  return broken;
};

/** Each task enters and leaves system calls in turn, with the same number. A child first leaves the call that made it. */
const syscallsPair: JournalLaw = (entries) => {
  const inside = new Map<number, number>();
  const fresh = new Set<number>();
  const broken: string[] = [];
  for (const entry of entries) {
    const pid = pidOf(entry.a);
    if (entry.kind === Kind.FORK && pid !== 0) fresh.add(pidOf(entry.b));
    else if (entry.kind === Kind.SYSCALL_ENTER) {
      if (inside.has(pid)) broken.push(`pid ${pid} entered ${entry.b} inside ${inside.get(pid)} ${at(entry)}`);
      inside.set(pid, Number(entry.b));
    } else if (entry.kind === Kind.SYSCALL_EXIT) {
      if (!inside.has(pid) && !fresh.delete(pid))
        broken.push(`pid ${pid} left ${entry.b}, which it never entered ${at(entry)}`);
      else if (inside.has(pid) && inside.get(pid) !== Number(entry.b) && inside.get(pid) !== NR_RT_SIGRETURN)
        broken.push(`pid ${pid} left ${entry.b} ${at(entry)}`);
      inside.delete(pid);
    }
  }
  return broken;
};

/** exit and exit_group are never left, and nothing is heard of a task that has exited but its last switch. */
const deadTasksAreSilent: JournalLaw = (entries) => {
  const dead = new Set<number>();
  const broken: string[] = [];
  for (const entry of entries) {
    if (entry.kind === Kind.EXIT) dead.add(pidOf(entry.a));
    else if (entry.kind === Kind.SYSCALL_ENTER && dead.has(pidOf(entry.a)))
      broken.push(`the late ${pidOf(entry.a)} entered a call`);
    else if (entry.kind === Kind.SYSCALL_EXIT && NR_EXIT.has(Number(entry.b)))
      broken.push(`an exit was left ${at(entry)}`);
  }
  return broken;
};

/** Every process but init is forked once, exits once, and is reaped once, by a task that was its parent or init. */
const processesAreReaped: JournalLaw = (entries) => {
  const broken: string[] = [];
  const parents = new Map<number, number>();
  const exits = new Map<number, bigint>();
  const reaped = new Set<number>();
  for (const entry of entries) {
    if (entry.kind === Kind.FORK) {
      const child = pidOf(entry.b);
      if (parents.has(child)) broken.push(`pid ${child} was forked twice`);
      parents.set(child, tgidOf(entry.a));
    } else if (entry.kind === Kind.EXIT) {
      const pid = pidOf(entry.a);
      if (exits.has(pid)) broken.push(`pid ${pid} exited twice`);
      if (!parents.has(pid)) broken.push(`pid ${pid} exited but was never forked`);
      exits.set(pid, entry.b);
    } else if (entry.kind === Kind.REAP) {
      const pid = Number(entry.b);
      const by = tgidOf(entry.a);
      if (exits.get(pid) !== entry.c) broken.push(`pid ${pid} reaped with status ${entry.c}`);
      if (reaped.has(pid)) broken.push(`pid ${pid} was reaped twice`);
      if (by !== parents.get(pid) && by !== 1) broken.push(`pid ${pid} was reaped by the stranger ${by}`);
      reaped.add(pid);
    }
  }
  const leaders = entries.filter((entry) => entry.kind === Kind.EXIT && pidOf(entry.a) === tgidOf(entry.a));
  for (const { a } of leaders)
    if (pidOf(a) !== 1 && !reaped.has(pidOf(a))) broken.push(`pid ${pidOf(a)} was never reaped`);
  return broken;
};

/** Requests are inserted, issued, completed, each once and with the same sector and size; none is left. */
const requestsComplete: JournalLaw = (entries) => {
  const broken: string[] = [];
  const stage = new Map<bigint, { kind: number; sector: bigint; bytes: bigint; write: bigint }>();
  const before: Readonly<Record<number, number>> = {
    [Kind.BLOCK_ISSUE]: Kind.BLOCK_INSERT,
    [Kind.BLOCK_COMPLETE]: Kind.BLOCK_ISSUE,
  };
  for (const { kind, a, b, c, d } of entries) {
    if (kind === Kind.BLOCK_INSERT) {
      if (stage.has(a)) broken.push(`request ${a} inserted twice`);
      stage.set(a, { kind, sector: b, bytes: c, write: d });
    } else if (kind === Kind.BLOCK_ISSUE || kind === Kind.BLOCK_COMPLETE) {
      const known = stage.get(a);
      if (known?.kind !== before[kind] || known.sector !== b || known.bytes !== c)
        broken.push(`request ${a}: ${kind} out of order`);
      if (kind === Kind.BLOCK_COMPLETE) stage.delete(a);
      else stage.set(a, { kind, sector: b, bytes: c, write: d });
      if (kind === Kind.BLOCK_COMPLETE && d !== 0n) broken.push(`request ${a} failed with ${d}`);
    }
  }
  return broken;
};

/** Interrupts, softirqs and timer functions nest on each CPU like brackets. */
const interruptsNest: JournalLaw = (entries, cpus) => {
  const broken: string[] = [];
  const opens: Readonly<Record<number, number>> = {
    [Kind.IRQ_EXIT]: Kind.IRQ_ENTER,
    [Kind.SOFTIRQ_EXIT]: Kind.SOFTIRQ_ENTER,
    [Kind.TIMER_EXIT]: Kind.TIMER_ENTER,
    [Kind.HRTIMER_EXIT]: Kind.HRTIMER_ENTER,
  };
  const entering = new Set<number>(Object.values(opens));
  const stacks = Array.from({ length: cpus }, (): JournalEntry[] => []);
  for (const entry of entries) {
    const stack = stacks[entry.cpu];
    if (entering.has(entry.kind)) stack.push(entry);
    else if (entry.kind in opens) {
      const top = stack.pop();
      if (top?.kind !== opens[entry.kind] || top.a !== entry.a)
        broken.push(`${entry.kind} of ${entry.a} closes nothing ${at(entry)}`);
    } else if (entry.kind === Kind.SWITCH && stack.length > 0) broken.push(`switch inside an interrupt ${at(entry)}`);
  }
  return broken;
};

/** exec keeps the pid and answers 0; the program's path is known. */
const execsHavePaths: JournalLaw = (entries) => {
  const broken: string[] = [];
  for (const entry of entries) {
    if (entry.kind === Kind.EXEC && !/^\/s?bin\/\w+$/.test(entry.text))
      broken.push(`exec of "${entry.text}" ${at(entry)}`);
    if (entry.kind === Kind.SYSCALL_EXIT && Number(entry.b) === NR_EXECVE && signed(entry.c) > 0)
      broken.push(`execve answered ${entry.c}`);
  }
  return broken;
};

/** Time never goes back. */
const timeGoesOn: JournalLaw = (entries) => {
  const broken: string[] = [];
  entries.forEach((entry, i) => {
    if (i > 0 && entry.time < entries[i - 1].time) broken.push(`time went back ${at(entry)}`);
  });
  return broken;
};

/** A function of a timer_list runs only if the timer was started, and once for each start at most. */
const timersWereStarted: JournalLaw = (entries) => {
  const started = new Map<bigint, number>();
  const broken: string[] = [];
  for (const entry of entries) {
    if (entry.kind === Kind.TIMER_START) started.set(entry.a, 1);
    else if (entry.kind === Kind.TIMER_ENTER && !started.delete(entry.a))
      broken.push(`timer ${entry.a} was not started ${at(entry)}`);
  }
  return broken;
};

export const journalLaws: Readonly<Record<string, JournalLaw>> = {
  switchesChain,
  oneCpuAtATime,
  tasksActWhereTheyRun,
  sleepersAreWoken,
  syscallsPair,
  deadTasksAreSilent,
  processesAreReaped,
  requestsComplete,
  interruptsNest,
  execsHavePaths,
  timeGoesOn,
  timersWereStarted,
};

/** Every violation of every law, each with the law's name. */
export function violations(entries: readonly JournalEntry[], cpus: number): string[] {
  return Object.entries(journalLaws).flatMap(([name, law]) => law(entries, cpus).map((what) => `${name}: ${what}`));
}
