import type {
  KprobeLink,
  Kprobe,
  KprobeMultiAttachment,
  KprobeMultiLink,
  KprobePlace,
  KprobePrograms,
  KprobeRegistry,
  Kretprobe,
  KretprobeRegistry,
} from '../../kprobe/index.js';
import type { BpfProgram } from '../../runtime/index.js';
import { addAccounts, type AttachedHook, type Hook, type HookAccount, type HookOptions } from './hook.js';
import { callAccount } from './call-account.js';

/** An instruction of the host's text. */
export function kprobeHook(programs: KprobePrograms, registry: KprobeRegistry, place: KprobePlace, name: string): Hook {
  return {
    name: `kprobe:${name}`,
    attach(program: BpfProgram, options: HookOptions): AttachedHook {
      const link = programs.attachKprobe(program, { ...place, ...options });
      return {
        setEnabled: (enabled) => (enabled ? registry.enable(link.probe) : registry.disable(link.probe)),
        account: () => kprobeAccount(link),
        detach: () => link.detach(),
      };
    },
  };
}

/** The return of a function. */
export function kretprobeHook(
  programs: KprobePrograms,
  registry: KretprobeRegistry,
  place: KprobePlace,
  maxactive: number,
  name: string,
): Hook {
  return {
    name: `kretprobe:${name}`,
    attach(program: BpfProgram, options: HookOptions): AttachedHook {
      const link = programs.attachKretprobe(program, { ...place, ...options, maxactive });
      return {
        setEnabled: (enabled) => (enabled ? registry.enable(link.probe) : registry.disable(link.probe)),
        account: () => kretprobeAccount(link),
        detach: () => link.detach(),
      };
    },
  };
}

/** Many functions with one program. */
export function kprobeMultiHook(
  programs: KprobePrograms,
  where: Omit<KprobeMultiAttachment, 'cookie' | 'onFault'>,
  name: string,
): Hook {
  return {
    name,
    attach(program: BpfProgram, options: HookOptions): AttachedHook {
      const link = programs.attachMulti(program, { ...where, ...options });
      return {
        setEnabled: (enabled) => link.setEnabled(enabled),
        account: () => multiAccount(link),
        detach: () => link.detach(),
      };
    },
  };
}

/** Hits that did not get to the attachment are the probe's own misses. */
function kprobeAccount({ probe, counts }: KprobeLink<Kprobe>): HookAccount {
  return addAccounts(callAccount(counts), missedAtEntry(probe));
}

function kretprobeAccount({ probe, counts }: KprobeLink<Kretprobe>): HookAccount {
  return addAccounts(callAccount(counts), missedReturns(probe));
}

/** In a session an entry that was followed is one event, and its return another. */
function multiAccount({ probes, counts }: KprobeMultiLink): HookAccount {
  return probes.reduce(
    (sum, { kprobe, kretprobe }) =>
      addAccounts(sum, kretprobe === null ? missedAtEntry(kprobe) : missedReturns(kretprobe)),
    callAccount(counts),
  );
}

function missedReturns(probe: Kretprobe): HookAccount {
  const { maxactive, fault, unwound, exited, unregistered } = probe.missed;
  const dropped = { maxactive, fault, 'no return': unwound + exited, detached: unregistered };
  const seen = probe.nactive + maxactive + fault + unwound + exited + unregistered;
  const withoutReturn = { seen, delivered: 0, pending: probe.nactive, dropped };
  return addAccounts(withoutReturn, missedAtEntry(probe.entry));
}

function missedAtEntry(probe: Kprobe): HookAccount {
  const { recursion, redirected } = probe.missed;
  return { seen: recursion + redirected, delivered: 0, pending: 0, dropped: { recursion, redirected } };
}
