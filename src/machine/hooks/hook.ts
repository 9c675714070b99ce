import type { LinkDetails } from '../link-details.js';
import type { IterFile } from '../../iter/index.js';
import { type BpfProgram, LOSS_CAUSES, type LossCause, type ProgramFault } from '../../runtime/index.js';

/** How a program is attached, besides where. */
export interface HookOptions {
  /** What bpf_get_attach_cookie answers; default 0. */
  readonly cookie?: bigint;
  /** Told of each run that had to stop, at the hook: must be quick and must not throw. */
  readonly onFault?: (fault: ProgramFault, cpu: number) => void;
}

/** The account of one attachment: seen = delivered + pending + the sum of dropped. */
export interface HookAccount {
  readonly seen: number;
  readonly delivered: number;
  readonly pending: number;
  readonly dropped: Readonly<Partial<Record<LossCause, number>>>;
}

/** A program on a hook, until `detach`. */
export interface AttachedHook {
  /** Turns it off and on again, keeping program and cookie; what it misses meanwhile it has not seen. */
  setEnabled(enabled: boolean): void;
  account(): HookAccount;
  /** What Linux tells of such a link. */
  details(): LinkDetails;
  /** A file of an iterator; absent: the hook is none. */
  open?(): IterFile;
  /** Safe from inside the program's own run. Called once. */
  detach(): void;
}

/** A place of the host where programs can be attached. */
export interface Hook {
  /** Kind and name, as `Machine.list` shows it: `kprobe:vfs_read`. */
  readonly name: string;
  /** Throws a `BpfError` with Linux's errno; nothing stays attached then. */
  attach(program: BpfProgram, options: HookOptions): AttachedHook;
}

export const EMPTY_ACCOUNT: HookAccount = { seen: 0, delivered: 0, pending: 0, dropped: {} };

export function addAccounts(a: HookAccount, b: HookAccount): HookAccount {
  const dropped = { ...a.dropped };
  for (const cause of LOSS_CAUSES) {
    const count = b.dropped[cause];
    if (count !== undefined) dropped[cause] = (dropped[cause] ?? 0) + count;
  }
  return { seen: a.seen + b.seen, delivered: a.delivered + b.delivered, pending: a.pending + b.pending, dropped };
}
