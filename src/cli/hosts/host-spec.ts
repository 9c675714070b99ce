import { GUEST_NAMES, type GuestName } from '../guest/guest-arch.js';
import { UsageError } from '../usage-error.js';

export const TRAP_KINDS = ['mailbox', 'pvpanic', 'stub'] as const;
export type TrapKind = (typeof TRAP_KINDS)[number];

/** What `--host` names: `sim`, `qemu:ARCH[,trap=KIND]`, `v86:i686`. */
export type HostSpec =
  | { readonly kind: 'sim' }
  | { readonly kind: 'v86' }
  | { readonly kind: 'qemu'; readonly guest: GuestName; readonly trap: TrapKind };

const DEFAULT_TRAP: TrapKind = 'mailbox';
/** 32 bits under QEMU have no traps here. */
const QEMU_GUESTS = GUEST_NAMES.filter((name) => name !== 'i686');

/** Parses `--host`; the simulator where it is absent. What is not understood is named with what there is instead. */
export function parseHostSpec(text = 'sim'): HostSpec {
  if (text === 'sim') return { kind: 'sim' };
  if (text === 'v86:i686') return { kind: 'v86' };
  const [head = '', ...settings] = text.split(',');
  const [kind, ...rest] = head.split(':');
  const name = rest.join(':');
  if (kind !== 'qemu') throw new UsageError(`--host ${text}: there are sim, qemu:ARCH and v86:i686`);
  const guest = QEMU_GUESTS.find((each) => each === name);
  if (guest === undefined)
    throw new UsageError(`--host ${text}: there are ${QEMU_GUESTS.map((each) => `qemu:${each}`).join(', ')}`);
  return { kind, guest, trap: trapOf(text, settings) };
}

function trapOf(text: string, settings: readonly string[]): TrapKind {
  let trap = DEFAULT_TRAP;
  for (const setting of settings) {
    const found = TRAP_KINDS.find((each) => setting === `trap=${each}`);
    if (found === undefined) throw new UsageError(`--host ${text}: "${setting}" is not trap=${TRAP_KINDS.join('|')}`);
    trap = found;
  }
  return trap;
}
