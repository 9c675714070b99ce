import type { Host, HostText } from '../host/index.js';
import { isCounted } from '../perf/index.js';
import { SAMPLED_EVENTS } from './hooks/perf-hook.js';
import { tellsOf } from './software-events.js';
import { listUserProbes, parseUserProbeGlob } from './user-probe-list.js';

/** A place where a program can be attached, or why it cannot. */
export interface ProbeInfo {
  readonly kind:
    | 'tracepoint'
    | 'raw_tracepoint'
    | 'kprobe'
    | 'kretprobe'
    | 'perf_event'
    | 'uprobe'
    | 'uretprobe'
    | 'usdt';
  /** `tracepoint:sched:sched_switch`, `kprobe:vfs_read`, `perf_event:cpu-clock`. */
  readonly name: string;
  /** Why the host refuses it, or null. */
  readonly refused: string | null;
}

/**
 * The probes of `host` whose name matches `glob` (`*` and `?`), sorted by kind and then as the host has them. A glob
 * without a colon is matched against the last part of the names: `vfs_*` finds `kprobe:vfs_read`. The functions and USDT
 * probes of a file are listed where the glob names it: `/bin/httpd`, `uprobe:/lib/libc.so.6:*alloc`, `usdt:/bin/httpd:*`;
 * errors as `listUserProbes`.
 */
export function listProbes(host: Host, glob = '*'): ProbeInfo[] {
  const ofFile = parseUserProbeGlob(glob);
  if (ofFile !== undefined) {
    const wanted = globMatcher(`*:${ofFile.path.replaceAll(/[*?]/g, '?')}:${ofFile.names}`);
    return listUserProbes(host, ofFile).filter(({ name }) => wanted(name));
  }
  const matches = globMatcher(glob.includes(':') ? glob : `*:${glob}`);
  return [
    ...tracepoints(host),
    ...rawTracepoints(host),
    ...functions(host, 'kprobe'),
    ...functions(host, 'kretprobe'),
    ...softwareEvents(host),
  ].filter(({ name }) => matches(name));
}

function tracepoints(host: Host): ProbeInfo[] {
  const list = host.tracepoints?.list ?? [];
  return list.flatMap(({ events }) => events.map(({ system, name }) => offered('tracepoint', `${system}:${name}`)));
}

function rawTracepoints(host: Host): ProbeInfo[] {
  return (host.tracepoints?.list ?? []).map(({ name }) => offered('raw_tracepoint', name));
}

function functions(host: Host, kind: 'kprobe' | 'kretprobe'): ProbeInfo[] {
  const { text } = host;
  if (text === null || (kind === 'kretprobe' && text.returnTrampoline === null)) return [];
  return Array.from(host.symbols)
    .filter(({ type, size }) => size !== 0n && /^[tTwW]$/.test(type))
    .map(({ name, address }) => ({ ...offered(kind, name), refused: refusal(text, kind, address) }));
}

function refusal(text: HostText, kind: 'kprobe' | 'kretprobe', address: bigint): string | null {
  return text.blacklisted(address) ?? (kind === 'kretprobe' ? (text.returnBlacklisted?.(address) ?? null) : null);
}

function softwareEvents(host: Host): ProbeInfo[] {
  const names = Object.entries(SAMPLED_EVENTS).filter(([, config]) =>
    isCounted(config) ? tellsOf(host, config) : host.sampler !== null,
  );
  return names.map(([name]) => offered('perf_event', name));
}

function offered(kind: ProbeInfo['kind'], name: string): ProbeInfo {
  return { kind, name: `${kind}:${name}`, refused: null };
}

function globMatcher(glob: string): (name: string) => boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  const expression = new RegExp(`^${pattern}$`);
  return (name) => expression.test(name);
}
