import { type JournalEntry, JournalKind as Kind } from '../../src/host/sim/index.js';
import { pidOf } from './journal-models.js';

/** One end of a socket: 128 bits of address in the order of memory, addresses of version 4 mapped. */
export interface SocketEnd {
  readonly words: readonly [bigint, bigint];
  readonly port: number;
  readonly family: number;
}

/** An entry about a socket with the addresses that come before it. */
export interface SocketEntry extends JournalEntry {
  readonly socket: bigint;
  readonly own: SocketEnd;
  readonly peer: SocketEnd;
  /** The name of the task that did it. */
  readonly comm: string;
  /** When the task entered the system call that did it, and when it left. */
  readonly entered: bigint;
  readonly left: bigint;
}

export const AF_INET = 2;
export const AF_INET6 = 10;
const MAPPED = 0xffff_0000n;

export const isMapped = ({ words }: SocketEnd): boolean => words[0] === 0n && (words[1] & 0xffff_ffffn) === MAPPED;
/** The address of version 4 that the end has, as a number out of memory. */
export const fourOf = ({ words }: SocketEnd): bigint => words[1] >> 32n;
/** What a field of 16 bytes has: of version 4 only the first four. */
export const addressOf = (end: SocketEnd, family: number): readonly bigint[] =>
  family === AF_INET ? [fourOf(end), 0n] : end.words;
export const isAny = (end: SocketEnd): boolean =>
  isMapped(end) ? fourOf(end) === 0n : end.words.every((w) => w === 0n);

const endOf = ({ b, c, d }: JournalEntry): SocketEnd => ({
  words: [b, c],
  port: Number(d & 0xffffn),
  family: Number(d >> 16n),
});

/** Entries of a kind that are told behind the addresses of their socket. */
export function socketEntries(journal: Iterable<JournalEntry>, kind: number): SocketEntry[] {
  const ends = new Map<number, { own?: JournalEntry; peer?: JournalEntry }>();
  const names = new Map<number, string>();
  const entered = new Map<number, bigint>();
  const open = new Map<number, { entry: Omit<SocketEntry, 'left'> }[]>();
  const found: SocketEntry[] = [];
  for (const entry of journal) {
    const pid = pidOf(entry.a);
    if (entry.kind === Kind.RENAME) names.set(pid, entry.text);
    else if (entry.kind === Kind.FORK) names.set(pidOf(entry.b), names.get(pid) ?? '');
    else if (entry.kind === Kind.SYSCALL_ENTER) entered.set(pid, entry.time);
    else if (entry.kind === Kind.SOCK_OWN) ends.set(entry.cpu, { own: entry });
    else if (entry.kind === Kind.SOCK_PEER) ends.set(entry.cpu, { ...ends.get(entry.cpu), peer: entry });
    else if (entry.kind === kind) {
      const { own, peer } = ends.get(entry.cpu) ?? {};
      if (own === undefined || peer === undefined) throw new Error(`no addresses before entry ${kind}`);
      const told = {
        ...entry,
        socket: own.a,
        own: endOf(own),
        peer: endOf(peer),
        comm: names.get(pid) ?? '',
        entered: entered.get(pid) ?? 0n,
      };
      open.set(pid, [...(open.get(pid) ?? []), { entry: told }]);
    } else if (entry.kind === Kind.SYSCALL_EXIT || entry.kind === Kind.EXIT) {
      for (const { entry: told } of open.get(pid) ?? []) found.push({ ...told, left: entry.time });
      open.delete(pid);
    }
  }
  return found;
}

/** Whether a time in microseconds lies in the system call that the entry is of. */
export const during = ({ entered, left }: SocketEntry, us: bigint): boolean =>
  us >= entered / 1000n && us <= left / 1000n;
