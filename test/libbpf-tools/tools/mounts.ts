import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import { pidOf, signed, TaskNames, tgidOf } from '../journal-models.js';
import { events, rows, type Tool } from '../tool.js';
import type { ToolSession, Workload } from '../tool-session.js';

/** Mounts of every kind, and some that fail; one in a namespace of its own. */
const MOUNTS: Workload = {
  seed: 4,
  script: [
    'names mkdir:/m mkdir:/m/a mkdir:/m/b',
    'mount -d size=1m tmpfs none /m/a',
    'mount -r ext4 /dev/vda /m/b',
    'mount -b /etc /m/a',
    'umount /m/a',
    'try mount nofs none /m/a',
    'try mount tmpfs none /none',
    'try umount /etc',
    'unshare mount tmpfs own /m/a',
    'op open:/m/b sleep:2000 &',
    'umount /m/a',
    'umount -l /m/b',
    'try umount /m/b',
    'wait',
  ].join('\n'),
};
const SYS_MOUNT = 165n;
const SYS_UMOUNT = 166n;

interface MountCall {
  readonly task: bigint;
  /** Source, target, type and data; of an umount its target. */
  readonly text: string;
  readonly isMount: boolean;
  readonly flags: number;
  readonly namespace: number;
  readonly result: number;
  /** From the moment of the programs on its entry to that of those on its end. */
  readonly ns: bigint;
  readonly comm: string;
}

/** What the journal has of each call of mount and umount, in their order. */
function mountCalls(session: ToolSession): MountCall[] {
  const names = new TaskNames();
  const begins = session.passes(Kind.SYSCALL_ENTER, 'sys_enter');
  const ends = session.passes(Kind.SYSCALL_EXIT, 'sys_exit');
  const entered = new Map<bigint, bigint>();
  const open = new Map<bigint, Omit<MountCall, 'ns'>>();
  const calls: MountCall[] = [];
  for (const [index, entry] of [...session.host.journal.entries()].entries()) {
    const { kind, a, b, c, d, text } = entry;
    names.tell(entry);
    const begin = begins.get(index);
    if (begin !== undefined) entered.set(a, begin.time);
    if (kind === Kind.MOUNT || kind === Kind.UMOUNT) {
      const [isMount, comm] = [kind === Kind.MOUNT, names.of(pidOf(a))];
      const [flags, namespace] = [Number(c & 0xffff_ffffn), Number(c >> 32n)];
      open.set(a, { task: a, text, isMount, flags, namespace, result: signed(d), comm });
    }
    const call = open.get(a);
    if (kind !== Kind.SYSCALL_EXIT || (b !== SYS_MOUNT && b !== SYS_UMOUNT) || call === undefined) continue;
    calls.push({ ...call, ns: (ends.get(index)?.time ?? 0n) - (entered.get(a) ?? 0n) });
  }
  return calls;
}

export const mountTools: readonly Tool[] = [
  {
    name: 'mountsnoop',
    workload: MOUNTS,
    compares: 'everything of each mount and umount: time, flags, process, thread, namespace, result, name, texts',
    compare: (session) => {
      const calls = mountCalls(session);
      const told = events(session, {
        delta: 'u64',
        flags: 'u64',
        pid: 'u32',
        tid: 'u32',
        mnt_ns: 'u32',
        ret: 'i32',
        comm: 16,
        fs: 8,
        src: 4096,
        dest: 4096,
        data: 512,
        op: 'u32',
      });
      return rows(
        told.map(({ delta, flags, pid, tid, mnt_ns: ns, ret, comm, fs, src, dest, data, op }) => {
          const texts = op === 0 ? [src, dest, fs, data].join('\t') : dest;
          return [delta, flags, pid, tid, ns, ret, comm, texts, op === 0];
        }),
        calls.map(({ ns, flags, task, namespace, result, comm, text, isMount }) => [
          ...[ns, flags, tgidOf(task), pidOf(task), namespace, result, comm, text, isMount],
        ]),
      );
    },
  },
];
