import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import type { Watch } from '../execution.js';
import { pidOf, tgidOf } from '../journal-models.js';
import { decode } from '../layout.js';
import { events, MIXED, rows, sums, type Tool, u32 } from '../tool.js';

const SYS_EXECVE = 59n;
const PAGE_SIZE = 4096;

/** The program's path and arguments as the kernel has copied them from the caller. */
const EXEC_ARGUMENTS: Watch = {
  symbol: 'load_elf_binary',
  enter: (look) => {
    const bprm = look.argument(0);
    const page = look.bytes(look.u64(look.member(bprm, 'linux_binprm', 'arg_page')), PAGE_SIZE);
    const count = look.u32(look.member(bprm, 'linux_binprm', 'argc'));
    const texts = new TextDecoder().decode(page).split('\0').slice(1, count);
    return [look.text(look.u64(look.member(bprm, 'linux_binprm', 'filename'))), ...texts];
  },
};

/** A new task's pid, and the time that the kernel wrote down for its start. */
const NEW_TASKS: Watch = {
  symbol: 'copy_process',
  leave: (look) => ({
    pid: look.u32(look.member(look.result, 'task_struct', 'pid')),
    time: look.u64(look.member(look.result, 'task_struct', 'start_time')),
  }),
};

const SIGNAL_ERRNO: Watch = {
  symbol: 'send_signal_locked',
  enter: (look) => look.u32(look.member(look.argument(1), 'kernel_siginfo', 'si_errno')),
};

export const processTools: readonly Tool[] = [
  {
    name: 'execsnoop',
    workload: MIXED,
    variables: { max_args: 20 },
    watches: [EXEC_ARGUMENTS],
    compares: 'every exec but init’s first: process, parent, user, result, name, number, size and texts of arguments',
    compare: (session) => {
      const layout = {
        pid: 'u32',
        ppid: 'u32',
        uid: 'u32',
        retval: 'i32',
        args_count: 'i32',
        args_size: 'u32',
        comm: 16,
      } as const;
      const seen = session.events.map(({ data }) => {
        const event = decode(layout, data);
        const args = new TextDecoder()
          .decode(data.slice(40, 40 + event.args_size))
          .split('\0')
          .slice(0, -1);
        return [...Object.values(event), ...args];
      });
      const copied = session.execution.callsOf('load_elf_binary');
      const parents = new Map<number, number>();
      const execs = session.story(({ kind, index, task, a, b }) => {
        if (kind === Kind.SYSCALL_ENTER && b === SYS_EXECVE) parents.set(pidOf(a), task.ppid);
        if (kind !== Kind.EXEC || pidOf(a) === 1) return [];
        const args = copied.findLast(({ pid, begun }) => pid === task.pid && begun <= index)?.seen as string[];
        const bytes = args.reduce((sum, text) => sum + text.length + 1, 0);
        return [[tgidOf(a), parents.get(pidOf(a)), 0, 0, args.length, bytes, task.comm, ...args]];
      });
      return rows(seen, execs);
    },
  },
  {
    name: 'exitsnoop',
    workload: MIXED,
    variables: { trace_by_process: false },
    watches: [NEW_TASKS],
    compares: 'every exit: start, end, process, thread, parent, signal, status, name',
    compare: (session) => {
      const made = session.execution.returnsOf('copy_process').map(({ returned }) => returned);
      const starts = new Map((made as { pid: number; time: bigint }[]).map(({ pid, time }) => [pid, time]));
      const passes = session.passes(Kind.EXIT, 'sched_process_exit');
      return rows(
        events(session, {
          start_time: 'u64',
          exit_time: 'u64',
          pid: 'u32',
          tid: 'u32',
          ppid: 'u32',
          sig: 'u32',
          exit_code: 'i32',
          comm: 16,
        }).map((event) => Object.values(event)),
        session.story(({ kind, index, task, a, b }) => {
          if (kind !== Kind.EXIT) return [];
          const end = passes.get(index)?.time;
          const [signal, status] = [Number(b & 0xffn), Number(b >> 8n)];
          return [[starts.get(pidOf(a)), end, tgidOf(a), pidOf(a), task.ppid, signal, status, task.comm]];
        }),
      );
    },
  },
  {
    name: 'syscount',
    workload: MIXED,
    variables: { measure_latency: true },
    compares: 'calls and nanoseconds of each system call',
    compare: (session) => {
      const begins = session.passes(Kind.SYSCALL_ENTER, 'sys_enter');
      const ends = session.passes(Kind.SYSCALL_EXIT, 'sys_exit');
      const since = new Map<number, bigint>();
      const calls = new Map<bigint, { count: bigint; ns: bigint }>();
      session.story(({ index, a, b }) => {
        const begin = begins.get(index);
        if (begin !== undefined) since.set(pidOf(a), begin.time);
        const end = ends.get(index);
        const began = since.get(pidOf(a));
        if (end === undefined || began === undefined) return [];
        const { count, ns } = calls.get(b) ?? { count: 0n, ns: 0n };
        calls.set(b, { count: count + 1n, ns: ns + end.time - began });
        return [];
      });
      const elements = session.elements('data');
      return sums(
        elements.map(({ key, value }) => {
          const { count, ns, comm } = decode({ count: 'u64', ns: 'u64', comm: 16 }, value);
          return `${u32(key)}: ${count} ${ns} ${comm}`;
        }),
        [...calls].map(([number, { count, ns }]) => `${number}: ${count} ${ns} `),
        elements.length,
      );
    },
  },
  {
    name: 'sigsnoop',
    workload: MIXED,
    without: ['kill_entry', 'kill_exit', 'tkill_entry', 'tkill_exit', 'tgkill_entry', 'tgkill_exit'],
    watches: [SIGNAL_ERRNO],
    compares: 'sender, receiver, number, errno and sender’s name of each signal',
    compare: (session) => {
      const sent = session.execution.returnsOf('send_signal_locked');
      return rows(
        events(session, { pid: 'u32', tpid: 'u32', sig: 'i32', ret: 'i32', comm: 16 }).map((event) =>
          Object.values(event),
        ),
        session.story(({ kind, index, task, a, b, c }) => {
          if (kind !== Kind.SIGNAL_GENERATE) return [];
          const errno = sent.find(({ pid, begun, ended }) => pid === task.pid && begun <= index && index < ended)?.seen;
          return [[tgidOf(a), pidOf(c), b, errno, task.comm]];
        }),
      );
    },
  },
];
