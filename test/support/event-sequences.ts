/** A trace event, from whatever kernel. */
export interface TracedEvent {
  readonly name: string;
  /** The task that was running. */
  readonly pid: number;
  readonly fields: Readonly<Record<string, number | string>>;
}

/** Sequences of what happened to one thing (a child, a call, a request, a socket), by kind. */
export type Sequences = Map<string, string[][]>;

/** The groups that have all events of the sequences. */
export const TRACED: readonly string[] = [
  'task/task_newtask',
  'task/task_rename',
  'sched/sched_process_fork',
  'sched/sched_process_exec',
  'sched/sched_wakeup_new',
  'sched/sched_switch',
  'sched/sched_waking',
  'sched/sched_wakeup',
  'raw_syscalls',
  'filemap/mm_filemap_add_to_page_cache',
  'block/block_bio_queue',
  'block/block_getrq',
  'block/block_rq_insert',
  'block/block_rq_issue',
  'block/block_rq_complete',
  'sock/inet_sock_set_state',
];

const OPEN = [2, 257];
const READ = [0, 17];
const EXEC = [59];

/** Tokens by the key of the thing they belong to; a sequence that was seen from its beginning to its end is kept. */
class Follower {
  readonly #running = new Map<number | string, string[]>();
  readonly #done: string[][] = [];

  begin(key: number | string, token: string): void {
    this.#running.set(key, [token]);
  }

  /** A repeated token counts once. Things whose beginning was not seen are left out. */
  add(key: number | string, token: string): void {
    const sequence = this.#running.get(key);
    if (sequence !== undefined && sequence[sequence.length - 1] !== token) sequence.push(token);
  }

  end(key: number | string, token: string): void {
    this.add(key, token);
    const sequence = this.#running.get(key);
    if (sequence !== undefined) this.#done.push(sequence);
    this.#running.delete(key);
  }

  get done(): string[][] {
    return this.#done;
  }
}

/** Cuts a trace, oldest event first, into sequences. */
export function sequencesOf(events: Iterable<TracedEvent>): Sequences {
  const fork = new Follower();
  const calls = { open: new Follower(), read: new Follower(), exec: new Follower() };
  const request = new Follower();
  const sleep = new Follower();
  const connect = new Follower();
  const accept = new Follower();
  const asleep = new Set<number>();
  // Whom another CPU began to wake while they were on their way to sleep: it waits until they are.
  const early = new Set<number>();

  const call = (nr: number, take: (follower: Follower) => void): void => {
    if (OPEN.includes(nr)) take(calls.open);
    if (READ.includes(nr)) take(calls.read);
    if (EXEC.includes(nr)) take(calls.exec);
  };
  const each: Readonly<Record<string, (event: TracedEvent, number: (field: string) => number) => void>> = {
    task_newtask: (_, number) => fork.begin(number('pid'), 'task_newtask'),
    sched_process_fork: (_, number) => fork.add(number('child_pid'), 'sched_process_fork'),
    sched_wakeup_new: (_, number) => fork.add(number('pid'), 'sched_wakeup_new'),
    sched_switch: ({ fields }, number) => {
      const [prev, next] = [number('prev_pid'), number('next_pid')];
      fork.add(next, 'runs');
      if (asleep.delete(next)) sleep.end(next, 'runs');
      if (prev !== 0 && sleeps(fields['prev_state'])) {
        asleep.add(prev);
        sleep.begin(prev, 'sleeps');
        if (early.delete(prev)) sleep.add(prev, 'sched_waking');
      }
    },
    sched_waking: (_, number) => {
      if (!asleep.has(number('pid'))) early.add(number('pid'));
      sleep.add(number('pid'), 'sched_waking');
    },
    sched_wakeup: (_, number) => {
      early.delete(number('pid'));
      sleep.add(number('pid'), 'sched_wakeup');
    },
    sys_enter: ({ pid }, number) => call(number('id'), (follower) => follower.begin(pid, 'sys_enter')),
    sys_exit: ({ pid }, number) => {
      fork.end(pid, 'sys_exit');
      call(number('id'), (follower) => follower.end(pid, number('ret') < 0 ? 'fails' : 'sys_exit'));
    },
    task_rename: ({ pid }) => calls.exec.add(pid, 'task_rename'),
    sched_process_exec: ({ pid }) => calls.exec.add(pid, 'sched_process_exec'),
    mm_filemap_add_to_page_cache: ({ pid }) => calls.read.add(pid, 'mm_filemap_add_to_page_cache'),
    block_bio_queue: ({ pid }, number) => {
      calls.read.add(pid, 'block_bio_queue');
      if (number('nr_sector') > 0) request.begin(number('sector'), 'block_bio_queue');
    },
    block_getrq: (_, number) => request.add(number('sector'), 'block_getrq'),
    block_rq_insert: (_, number) => request.add(number('sector'), 'block_rq_insert'),
    block_rq_issue: (_, number) => request.add(number('sector'), 'block_rq_issue'),
    block_rq_complete: (_, number) => request.end(number('sector'), 'block_rq_complete'),
    inet_sock_set_state: ({ fields }) => {
      const [key, state] = [String(fields['skaddr']), stateName(fields['newstate'])];
      if (state === 'SYN_SENT') connect.begin(key, state);
      if (stateName(fields['oldstate']) === 'SYN_RECV') accept.begin(key, 'SYN_RECV');
      for (const follower of [connect, accept]) {
        if (state === 'CLOSE') follower.end(key, state);
        else follower.add(key, state);
      }
    },
  };
  for (const event of events) each[event.name]?.(event, (field) => Number(event.fields[field] ?? NaN));
  return new Map([
    ['fork', fork.done],
    ['exec', calls.exec.done],
    ['open', calls.open.done],
    ['read', calls.read.done],
    ['block', request.done],
    ['sleep', sleep.done],
    ['connect', connect.done],
    ['accept', accept.done],
  ]);
}

/** S or D, as a letter in text or a bit in a record; a task that still can run does not sleep. */
function sleeps(state: number | string | undefined): boolean {
  return typeof state === 'number' ? (state & 3) !== 0 && (state & 0x100) === 0 : /^[SD]$/.test(state ?? '');
}

const TCP_STATES =
  'NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN'.split(' ');

function stateName(state: number | string | undefined): string {
  return typeof state === 'number' ? TCP_STATES[state] : (state ?? '').replace('TCP_', '');
}

/** An event from a line of ftrace's `trace` file, or null. */
export function parseTraceLine(line: string): TracedEvent | null {
  const match = /^\s*.*-(\d+)\s+\[\d+\]\s+\S+\s+[\d.]+: (\w+): (.*)$/.exec(line);
  if (match === null) return null;
  const [, pid, name, rest] = match;
  return { name, pid: Number(pid), fields: fieldsOf(name, rest) };
}

function fieldsOf(name: string, rest: string): Record<string, number | string> {
  const call = /^NR (-?\d+) (?:= (-?\d+)|\()/.exec(rest);
  if (call !== null) return { id: Number(call[1]), ret: Number(call[2] ?? 0) };
  const block = /(\d+) \+ (\d+)/.exec(rest);
  if (name.startsWith('block_') && block !== null) return { sector: Number(block[1]), nr_sector: Number(block[2]) };
  const pairs = [...rest.matchAll(/(\w+)=(\S+)/g)].map(([, key, value]): [string, string | number] => [
    key,
    /^-?\d+$/.test(value) ? Number(value) : value,
  ]);
  const fields = Object.fromEntries(pairs);
  // The text of the event lacks the socket's address. With one connection at a time the other port is as good.
  if (name === 'inet_sock_set_state') fields['skaddr'] = fields['dport'];
  return fields;
}
