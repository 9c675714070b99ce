import type { LinkDetails } from '../link-details.js';
import { addAccounts, type AttachedHook, EMPTY_ACCOUNT, type HookAccount } from './hook.js';

/** What an attach function of a hook gives. */
interface Attachment {
  account(): HookAccount;
  detach(): void;
}

/**
 * A hook that is turned off by detaching and on by attaching again, for places that know no disabled state. Turned on
 * again it stands behind what was attached meanwhile.
 */
export class ReattachingHook implements AttachedHook {
  readonly details: () => LinkDetails;
  readonly #attach: () => Attachment;
  #attachment: Attachment | null;
  #past: HookAccount = EMPTY_ACCOUNT;

  constructor(attach: () => Attachment, details: () => LinkDetails) {
    this.details = details;
    this.#attach = attach;
    this.#attachment = attach();
  }

  setEnabled(enabled: boolean): void {
    if (!enabled) this.detach();
    else this.#attachment ??= this.#attach();
  }

  account(): HookAccount {
    return this.#attachment === null ? this.#past : addAccounts(this.#past, this.#attachment.account());
  }

  detach(): void {
    const attachment = this.#attachment;
    if (attachment === null) return;
    attachment.detach();
    this.#past = addAccounts(this.#past, attachment.account());
    this.#attachment = null;
  }
}
