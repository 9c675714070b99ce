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
import { BPF_F_MULTI_RETURN, type LinkDetails } from '../link-details.js';
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
        details: () => probeDetails(3, link.probe, link.probe.nmissed, options),
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
        details: () => probeDetails(4, link.probe.entry, link.probe.nmissed + link.probe.entry.nmissed, options),
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
        details: () => ({
          type: 8,
          addrs: link.probes.map(({ addr }) => addr),
          cookies: link.probes.map(({ cookie }) => cookie),
          flags: where.on === 'return' ? BPF_F_MULTI_RETURN : 0,
          missed: link.probes.reduce((sum, { kprobe }) => sum + BigInt(kprobe.nmissed), 0n),
        }),
        detach: () => link.detach(),
      };
    },
  };
}

function probeDetails(
  perf_event_type: 3 | 4,
  { symbolName, offset, addr }: Kprobe,
  missed: number,
  { cookie = 0n }: HookOptions,
): LinkDetails {
  return { type: 7, perf_event_type, func_name: symbolName, offset, addr, missed: BigInt(missed), cookie };
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
