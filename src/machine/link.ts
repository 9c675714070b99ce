import { BpfError } from '../base/index.js';
import type { BpfLinkInfo } from './link-details.js';
import type { IterFile } from '../iter/index.js';
import type { AttachTarget, BpfProgram, LedgerRow, LedgerSource } from '../runtime/index.js';
import {
  addAccounts,
  type AttachedHook,
  EMPTY_ACCOUNT,
  type Hook,
  type HookAccount,
  type HookOptions,
} from './hooks/hook.js';

/** What `bpftool link` would show, and whether it is paused. */
export interface LinkInfo {
  readonly id: number;
  readonly target: AttachTarget;
  /** Kind and place: `kprobe:vfs_read`. */
  readonly hook: string;
  readonly program: { readonly id: number; readonly name: string };
  readonly cookie: bigint;
  readonly state: 'attached' | 'paused' | 'detached';
}

/**
 * One program on one hook. It keeps the program alive, also after whoever loaded it closed it, until it is
 * detached. Made by `Machine.attach`.
 */
export class Link implements LedgerSource {
  readonly id: number;
  readonly target: AttachTarget;
  readonly #hook: Hook;
  readonly #options: HookOptions;
  readonly #onDetach: (link: Link) => void;
  #program: BpfProgram;
  #attached: AttachedHook | null;
  #paused = false;
  /** Accounts of programs that stood here before the present one. */
  #past: HookAccount = EMPTY_ACCOUNT;

  /** Attaches; throws what the hook throws. */
  constructor(
    id: number,
    target: AttachTarget,
    hook: Hook,
    program: BpfProgram,
    options: HookOptions,
    onDetach: (link: Link) => void,
  ) {
    this.id = id;
    this.target = target;
    this.#hook = hook;
    this.#options = options;
    this.#onDetach = onDetach;
    program.retain();
    try {
      this.#attached = hook.attach(program, options);
    } catch (error) {
      program.release();
      throw error;
    }
    this.#program = program;
  }

  get program(): BpfProgram {
    return this.#program;
  }

  /** What BPF_OBJ_GET_INFO_BY_FD answers for it. EINVAL once it is detached. */
  get bpfInfo(): BpfLinkInfo {
    return { id: this.id, prog_id: this.#program.id, ...this.#need('asking').details() };
  }

  get info(): LinkInfo {
    const { id, name } = this.#program;
    return {
      id: this.id,
      target: this.target,
      hook: this.#hook.name,
      program: { id, name },
      cookie: this.#options.cookie ?? 0n,
      state: this.#attached === null ? 'detached' : this.#paused ? 'paused' : 'attached',
    };
  }

  /**
   * BPF_ITER_CREATE: a file whose bytes are what the program writes; it ends with the link. EINVAL where this is no link to
   * an iterator.
   */
  openIter(): IterFile {
    const attached = this.#need('opening');
    if (attached.open !== undefined) return attached.open();
    throw new BpfError('EINVAL', `opening ${this.#hook.name}`, { remedy: 'only links to iterators have files' });
  }

  /** Takes the program off the hook without giving its place up; what happens meanwhile is not counted as seen. */
  pause(): void {
    this.#need('pausing').setEnabled(false);
    this.#paused = true;
  }

  /** Puts it back. On tracepoints it is then as if newly attached: it runs after the hook's other programs. */
  resume(): void {
    this.#need('resuming').setEnabled(true);
    this.#paused = false;
  }

  /**
   * Puts `program` in the place of the present one: no hit is missed, none is seen by both. In the order of the
   * hook's programs it stands as if newly attached. Linux has no such operation for tracing links.
   */
  update(program: BpfProgram): void {
    const before = this.#need('updating');
    const next = this.#hook.attach(program, this.#options);
    if (this.#paused) next.setEnabled(false);
    program.retain();
    this.#retire(before);
    this.#attached = next;
    this.#program.release();
    this.#program = program;
  }

  /** Idempotent, and safe from inside the program's own run. */
  detach(): void {
    const attached = this.#attached;
    if (attached === null) return;
    this.#attached = null;
    this.#retire(attached);
    this.#onDetach(this);
    this.#program.release();
  }

  /** Hits of the hook while the link was there, and what became of them. */
  ledgerRow(): LedgerRow {
    const account = this.#attached === null ? this.#past : addAccounts(this.#past, this.#attached.account());
    return { kind: 'probe', name: `${this.#hook.name} ${this.#program.name}`, ...account };
  }

  #retire(attached: AttachedHook): void {
    attached.detach();
    this.#past = addAccounts(this.#past, attached.account());
  }

  #need(what: string): AttachedHook {
    if (this.#attached !== null) return this.#attached;
    throw new BpfError('ENOLINK', `${what} the link of ${this.#program.name} to ${this.#hook.name}`, {
      remedy: 'it is detached',
    });
  }
}
