import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import type { FinishedCall, Watch } from '../execution.js';
import { pidOf, signed, tgidOf } from '../journal-models.js';
import { decode } from '../layout.js';
import type { Look } from '../look.js';
import { events, fentries, histogram, histograms, IO, MIXED, rows, slotOf, sum, sums, type Tool } from '../tool.js';
import type { ToolSession } from '../tool-session.js';

/** Two return addresses of the caller. */
const CALLERS = { caller0: 'u64', caller1: 'u64' } as const;
const SYS_OPEN: readonly bigint[] = [2n, 257n];
const SYS_STAT = 4n;
const S_IFMT = 0o170_000;
const S_IFREG = 0o100_000;
/** What of a name fits with its NUL into 32 bytes. */
const NAME_MAX = 31;

const EXT4 = fentries({
  file_read: 'ext4_file_read_iter',
  file_write: 'ext4_file_write_iter',
  file_open: 'ext4_file_open',
  file_sync: 'ext4_sync_file',
  getattr: 'ext4_file_getattr',
});
const FILE_KPROBES = ['file_read', 'file_write', 'file_open', 'file_sync'].flatMap((each) => [
  `${each}_entry`,
  `${each}_exit`,
]);

const nameOf = (look: Look, file: bigint): string => {
  const dentry = look.u64(look.member(file, 'file', 'f_path.dentry'));
  return look.text(look.u64(look.member(dentry, 'dentry', 'd_name.name')));
};

interface FileIo {
  readonly name: string;
  readonly offset: bigint;
}

const fromIocb = (look: Look): FileIo => ({
  name: nameOf(look, look.u64(look.member(look.argument(0), 'kiocb', 'ki_filp'))),
  offset: look.u64(look.member(look.argument(0), 'kiocb', 'ki_pos')),
});

/** The operations of a file system by their numbers in the tools. */
const OPERATIONS: readonly Watch[] = [
  { symbol: 'ext4_file_read_iter', enter: fromIocb },
  { symbol: 'ext4_file_write_iter', enter: fromIocb },
  { symbol: 'ext4_file_open', enter: (look): FileIo => ({ name: nameOf(look, look.argument(1)), offset: 0n }) },
  {
    symbol: 'ext4_sync_file',
    enter: (look): FileIo => ({ name: nameOf(look, look.argument(0)), offset: look.argument(1) }),
  },
  { symbol: 'ext4_file_getattr' },
];

/** Bytes of an operation as its tool has them: those transferred, none of open, the range of a sync. */
function sizeOf({ symbol, args, result }: FinishedCall): bigint {
  if (symbol === 'ext4_file_open') return 0n;
  if (symbol === 'ext4_sync_file') return BigInt.asIntN(64, (args[2] ?? 0n) - (args[1] ?? 0n));
  return BigInt.asIntN(64, result);
}

interface OpenFile {
  readonly inode: bigint;
  readonly mode: number;
  readonly dev: number;
  readonly rdev: number;
  readonly name: string;
}

const openFile = (look: Look): OpenFile => {
  const file = look.argument(0);
  const inode = look.u64(look.member(file, 'file', 'f_inode'));
  if (inode === 0n) return { inode: 0n, mode: 0, dev: 0, rdev: 0, name: '' };
  return {
    inode: look.u64(look.member(inode, 'inode', 'i_ino')),
    mode: look.u16(look.member(inode, 'inode', 'i_mode')),
    dev: look.u32(look.member(look.u64(look.member(inode, 'inode', 'i_sb')), 'super_block', 's_dev')),
    rdev: look.u32(look.member(inode, 'inode', 'i_rdev')),
    name: nameOf(look, file),
  };
};
const TRANSFERS: readonly Watch[] = [
  { symbol: 'vfs_read', enter: openFile },
  { symbol: 'vfs_write', enter: openFile },
];

/** Calls of a function, which the journal has as many entries of. */
function callsLikeJournal(session: ToolSession, symbol: string, kind: number): FinishedCall[] {
  const calls = session.execution.returnsOf(symbol);
  const entries = session.journal(kind).length;
  if (calls.length !== entries) throw new RangeError(`${calls.length} calls of ${symbol}, ${entries} in the journal`);
  return calls;
}

/** Reads and writes of regular files by thread and file, with the names at the first of them. */
function transfers(session: ToolSession): string[] {
  const totals = new Map<
    string,
    { names: string; reads: number; readBytes: bigint; writes: number; wroteBytes: bigint }
  >();
  const calls = [
    ...callsLikeJournal(session, 'vfs_read', Kind.READ),
    ...callsLikeJournal(session, 'vfs_write', Kind.WRITE),
  ].toSorted((a, b) => (a.entered < b.entered ? -1 : 1));
  const tasks = session.tasksOf(calls);
  for (const call of calls) {
    const { inode, mode, dev, rdev, name } = call.seen as OpenFile;
    if ((mode & S_IFMT) !== S_IFREG) continue;
    const key = String([inode, dev, rdev, call.tgid, call.pid]);
    const names = String([call.tgid, call.pid, name, tasks.get(call)?.comm, 'R']);
    const total = totals.get(key) ?? { names, reads: 0, readBytes: 0n, writes: 0, wroteBytes: 0n };
    const [, , bytes = 0n] = call.args;
    totals.set(
      key,
      call.symbol === 'vfs_read'
        ? { ...total, reads: total.reads + 1, readBytes: total.readBytes + bytes }
        : { ...total, writes: total.writes + 1, wroteBytes: total.wroteBytes + bytes },
    );
  }
  return [...totals].map(([key, { names, ...counts }]) => `${key}: ${String(Object.values(counts))} ${names}`);
}

export const fileTools: readonly Tool[] = [
  {
    name: 'opensnoop',
    workload: MIXED,
    variables: { targ_uid: 0xffff_ffff },
    reads: { sys_exit: 'stacks' },
    compares: 'every open: process, user, result, flags, both callers, name, path',
    compare: (session) => {
      const passes = session.passes(Kind.SYSCALL_EXIT, 'sys_exit');
      const opened = new Map<number, { flags: number; path: string }>();
      return rows(
        events(session, {
          ts: 'u64',
          pid: 'u32',
          uid: 'u32',
          ret: 'i32',
          flags: 'i32',
          ...CALLERS,
          comm: 16,
          fname: 255,
        }).map((event) => Object.values(event)),
        session.story(({ kind, index, task, a, b, c, text }) => {
          if (kind === Kind.OPEN) opened.set(pidOf(a), { flags: Number(c), path: text });
          const pass = passes.get(index);
          const open = opened.get(pidOf(a));
          if (pass === undefined || open === undefined || !SYS_OPEN.includes(b)) return [];
          const [, first = 0n, second = 0n] = pass.user;
          return [[0, tgidOf(a), 0, signed(c), open.flags, first, second, task.comm, open.path]];
        }),
      );
    },
  },
  {
    name: 'statsnoop',
    workload: { script: 'repeat 12\nop stat:/etc/passwd stat:/etc/nothing.$i\nend\n', seed: 3 },
    without: ['statfs', 'statx', 'newfstatat', 'newlstat'].flatMap((each) => [
      `handle_${each}_entry`,
      `handle_${each}_return`,
    ]),
    watches: [
      {
        symbol: 'vfs_statx',
        enter: (look) => look.text(look.u64(look.member(look.argument(1), 'filename', 'name'))),
      },
    ],
    compares: 'every stat: time, process, result, name, path',
    compare: (session) => {
      const looks = session.execution.returnsOf('vfs_statx');
      const passes = session.passes(Kind.SYSCALL_EXIT, 'sys_exit');
      return rows(
        events(session, { ts_ns: 'u64', pid: 'u32', ret: 'i32', comm: 16, pathname: 255 }).map((event) =>
          Object.values(event),
        ),
        session.story(({ kind, index, task, a, b, c }) => {
          if (kind !== Kind.SYSCALL_EXIT || b !== SYS_STAT) return [];
          const path = looks.findLast(({ pid, ended }) => pid === task.pid && ended <= index)?.seen;
          return [[passes.get(index)?.time, tgidOf(a), signed(c), task.comm, path]];
        }),
      );
    },
  },
  {
    name: 'filelife',
    workload: { script: 'repeat 12\ncp /etc/motd /tmp/m.$i\nrm /tmp/m.$i\nend\n', seed: 3 },
    watches: [
      { symbol: 'security_inode_create' },
      { symbol: 'vfs_create' },
      {
        symbol: 'vfs_unlink',
        enter: (look) => look.text(look.u64(look.member(look.argument(2), 'dentry', 'd_name.name'))),
      },
    ],
    compares: 'every removed file: name, name of who removes it, nanoseconds, process',
    compare: (session) => {
      const removed = session.execution.callsOf('vfs_unlink');
      const made = [
        ...session.execution
          .callsOf('security_inode_create')
          .map(({ args, entered }) => ({ dentry: args[1], entered })),
        ...session.execution.callsOf('vfs_create').map(({ args, entered }) => ({ dentry: args[2], entered })),
      ];
      const tasks = session.tasksOf(removed);
      const lives = removed.map((call) => {
        const births = made.filter(({ dentry, entered }) => dentry === call.args[2] && entered < call.entered);
        const born = births.map(({ entered }) => entered).toSorted((a, b) => (a < b ? 1 : -1))[0] ?? 0n;
        return [call.seen, tasks.get(call)?.comm, call.entered - born, call.tgid];
      });
      const unlinked = session.journal(Kind.UNLINK).filter(({ c }) => c === 0n);
      const names = unlinked.map(({ a, text }) => String([text.replace(/.*\//, ''), tgidOf(a)])).toSorted();
      const alike = lives.map(([name, , , tgid]) => String([name, tgid])).toSorted();
      if (String(names) !== String(alike))
        throw new RangeError(`the journal has other files removed: ${String(names)} / ${String(alike)}`);
      return rows(
        events(session, { file: 32, task: 16, delta_ns: 'u64', tgid: 'u32' }).map((event) => Object.values(event)),
        lives,
      );
    },
  },
  {
    name: 'filetop',
    workload: MIXED,
    variables: { regular_file_only: true },
    watches: TRANSFERS,
    compares: 'reads, writes and their bytes, file, name, type by thread and file',
    compare: (session) => {
      const seen = session.elements('entries').map(({ key, value }) => {
        const id = decode({ inode: 'u64', dev: 'u32', rdev: 'u32', pid: 'u32', tid: 'u32' }, key);
        const { reads, read_bytes, writes, write_bytes, ...names } = decode(
          {
            reads: 'u64',
            read_bytes: 'u64',
            writes: 'u64',
            write_bytes: 'u64',
            pid: 'u32',
            tid: 'u32',
            filename: 4096,
            comm: 16,
            type: 1,
          },
          value,
        );
        const counts = [reads, read_bytes, writes, write_bytes];
        return `${String(Object.values(id))}: ${String(counts)} ${String(Object.values(names))}`;
      });
      return sums(seen, transfers(session), seen.length);
    },
  },
  {
    name: 'fsdist',
    workload: IO,
    variables: { target_pid: 0 },
    without: [...FILE_KPROBES, 'getattr_entry', 'getattr_exit'],
    targets: EXT4 ?? {},
    watches: OPERATIONS,
    compares: 'histogram of microseconds of each operation',
    compare: (session) => {
      const hists = session.variable('hists') as unknown as readonly { slots: readonly number[] }[];
      const calls = OPERATIONS.flatMap(({ symbol }, operation) =>
        session.execution.returnsOf(symbol).map(({ entered, left }) => ({ operation, ns: left - entered })),
      );
      return sums(
        hists.map(({ slots }, operation) => histogram(String(operation), slots)).filter((text) => !text.endsWith(': ')),
        histograms(
          calls,
          ({ operation }) => String(operation),
          ({ ns }) => slotOf(ns / 1000n, 32),
        ),
        calls.length,
      );
    },
  },
  {
    name: 'fsslower',
    workload: IO,
    variables: { min_lat_ns: 0n },
    without: FILE_KPROBES,
    targets: EXT4 ?? {},
    watches: OPERATIONS,
    compares: 'every read, write, open, sync: microseconds, end, offset, bytes, process, operation, file, name',
    compare: (session) => {
      const calls = OPERATIONS.slice(0, 4).flatMap(({ symbol }) => session.execution.returnsOf(symbol));
      const tasks = session.tasksOf(calls);
      return rows(
        events(session, {
          delta_us: 'u64',
          end_ns: 'u64',
          offset: 'i64',
          size: 'i64',
          pid: 'u32',
          op: 'u32',
          file: 32,
          task: 16,
        }).map((event) => Object.values(event)),
        calls.map((call) => {
          const { name, offset } = call.seen as FileIo;
          const operation = OPERATIONS.findIndex(({ symbol }) => symbol === call.symbol);
          const us = (call.left - call.entered) / 1000n;
          const comm = tasks.get(call)?.comm;
          return [us, call.left, offset, sizeOf(call), call.tgid, operation, name.slice(0, NAME_MAX), comm];
        }),
      );
    },
  },
  {
    name: 'vfsstat',
    workload: IO,
    without: ['read', 'write', 'fsync', 'open', 'create'].map((each) => `kprobe_vfs_${each}`),
    watches: ['vfs_read', 'vfs_write', 'vfs_fsync', 'vfs_open', 'vfs_create'].map((symbol) => ({ symbol })),
    compares: 'reads, writes, syncs, opens and files made',
    compare: (session) => {
      const seen = session.variable('stats') as unknown as readonly bigint[];
      const reads = callsLikeJournal(session, 'vfs_read', Kind.READ).length;
      const writes = callsLikeJournal(session, 'vfs_write', Kind.WRITE).length;
      const others = ['vfs_fsync', 'vfs_open', 'vfs_create'].map((each) => session.execution.callsOf(each).length);
      return sums([String(seen)], [String([reads, writes, ...others])], sum([reads, writes, ...others]));
    },
  },
];
