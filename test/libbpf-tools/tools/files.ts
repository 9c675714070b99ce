import { type JournalEntry, JournalKind as Kind } from '../../../src/host/sim/index.js';
import { countBy, pidOf, signed, tgidOf } from '../journal-models.js';
import { decode } from '../layout.js';
import { events, fentries, IO, MIXED, rows, sum, sums, syscalls, type Tool } from '../tool.js';
import type { ToolSession } from '../tool-session.js';

/** Two return addresses of the caller. */
const CALLERS = { caller0: 'u64', caller1: 'u64' } as const;
const SYS_WRITE = 1n;
const SYS_STAT = 4n;
const SYS_FSYNC = 74n;

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

/** Writes to files of the disk: not to sockets, and not to descriptors 1 and 2, which are the console's. */
function fileWrites(session: ToolSession): JournalEntry[] {
  const descriptors = new Map<bigint, bigint>();
  const found: JournalEntry[] = [];
  for (const entry of session.host.journal.entries()) {
    if (entry.kind === Kind.SYSCALL_ENTER && entry.b === SYS_WRITE) descriptors.set(entry.a, entry.c);
    if (entry.kind === Kind.WRITE && entry.b > 1n && (descriptors.get(entry.a) ?? 0n) > 2n) found.push(entry);
  }
  return found;
}

export const fileTools: readonly Tool[] = [
  {
    name: 'opensnoop',
    workload: MIXED,
    compares: 'pid, result, flags and path of each open',
    compare: (session) =>
      rows(
        events(session, {
          ts: 'u64',
          pid: 'u32',
          uid: 'u32',
          ret: 'i32',
          flags: 'i32',
          ...CALLERS,
          comm: 16,
          fname: 255,
        }).map(({ pid, ret, flags, fname }) => [pid, ret, flags, fname]),
        session.journal(Kind.OPEN).map(({ a, c, d, text }) => [tgidOf(a), signed(d), Number(c), text]),
      ),
  },
  {
    name: 'statsnoop',
    workload: { script: 'repeat 12\nop stat:/etc/passwd stat:/etc/nothing.$i\nend\n', seed: 3 },
    without: ['statfs', 'statx', 'newfstatat', 'newlstat'].flatMap((each) => [
      `handle_${each}_entry`,
      `handle_${each}_return`,
    ]),
    compares: 'process and result of each stat',
    compare: (session) =>
      rows(
        events(session, { ts_ns: 'u64', pid: 'u32', ret: 'i32', comm: 16, pathname: 255 }).map(({ pid, ret }) => [
          pid,
          ret,
        ]),
        syscalls(session, SYS_STAT).map(({ a, c }) => [tgidOf(a), signed(c)]),
      ),
  },
  {
    name: 'filelife',
    workload: { script: 'repeat 12\ncp /etc/motd /tmp/m.$i\nrm /tmp/m.$i\nend\n', seed: 3 },
    compares: 'name and process of each removed file',
    compare: (session) =>
      rows(
        events(session, { file: 32, task: 16, delta_ns: 'u64', tgid: 'u32' }).map(({ file, tgid }) => [file, tgid]),
        session
          .journal(Kind.UNLINK)
          .filter(({ c }) => c === 0n)
          .map(({ a, text }) => [text.replace(/.*\//, ''), tgidOf(a)]),
      ),
  },
  {
    name: 'filetop',
    workload: MIXED,
    variables: { regular_file_only: true },
    compares: 'reads, bytes read, writes and bytes written of each thread and file',
    compare: (session) => {
      const id = { inode: 'u64', dev: 'u32', rdev: 'u32', pid: 'u32', tid: 'u32' } as const;
      const stat = { reads: 'u64', read_bytes: 'u64', writes: 'u64', write_bytes: 'u64' } as const;
      const seen = session.elements('entries').flatMap(({ key, value }) => {
        const { inode, pid, tid } = decode(id, key);
        const each = decode(stat, value);
        return Object.entries(each)
          .filter(([, n]) => n > 0n)
          .map(([what, n]) => `${what} ${pid} ${tid} ${inode}: ${n}`);
      });
      const of = (entries: JournalEntry[], one: string, bytes: string): string[] => [
        ...countBy(entries, ({ a, b }) => `${one} ${tgidOf(a)} ${pidOf(a)} ${b}`),
        ...countBy(
          entries,
          ({ a, b }) => `${bytes} ${tgidOf(a)} ${pidOf(a)} ${b}`,
          ({ c }) => Number(c),
        ),
      ];
      const reads = session.journal(Kind.READ).filter(({ b }) => b > 1n);
      return sums(
        seen,
        [...of(reads, 'reads', 'read_bytes'), ...of(fileWrites(session), 'writes', 'write_bytes')],
        seen.length,
      );
    },
  },
  {
    name: 'fsdist',
    workload: IO,
    variables: { target_pid: 0 },
    without: [...FILE_KPROBES, 'getattr_entry', 'getattr_exit'],
    targets: EXT4 ?? {},
    compares: 'number of writes and of syncs',
    compare: (session) => {
      const [, writes, , syncs] = session.variable('hists') as unknown as readonly { slots: readonly number[] }[];
      const seen = [sum(writes?.slots ?? []), sum(syncs?.slots ?? [])];
      return sums(
        [String(seen)],
        [String([fileWrites(session).length, syscalls(session, SYS_FSYNC).length])],
        sum(seen),
      );
    },
  },
  {
    name: 'fsslower',
    workload: IO,
    variables: { min_lat_ns: 0n },
    without: FILE_KPROBES,
    targets: EXT4 ?? {},
    compares: 'process and bytes of each write, process of each sync',
    compare: (session) => {
      const seen = events(session, {
        delta_us: 'u64',
        end_ns: 'u64',
        offset: 'i64',
        size: 'i64',
        pid: 'u32',
        op: 'u32',
        file: 32,
        task: 16,
      });
      return rows(
        seen.flatMap(({ pid, op, size }) => (op === 1 ? [['write', pid, size]] : op === 3 ? [['sync', pid]] : [])),
        [
          ...fileWrites(session).map(({ a, d }) => ['write', tgidOf(a), d]),
          ...syscalls(session, SYS_FSYNC).map(({ a }) => ['sync', tgidOf(a)]),
        ],
      );
    },
  },
  {
    name: 'vfsstat',
    workload: IO,
    without: ['read', 'write', 'fsync', 'open', 'create'].map((each) => `kprobe_vfs_${each}`),
    compares: 'reads, writes and syncs',
    compare: (session) => {
      const [reads, writes, syncs] = session.variable('stats') as unknown as readonly bigint[];
      const expected = [
        session.journal(Kind.READ).length,
        session.journal(Kind.WRITE).length,
        syscalls(session, SYS_FSYNC).length,
      ];
      return sums([String([reads, writes, syncs])], [String(expected)], sum(expected));
    },
  },
];
