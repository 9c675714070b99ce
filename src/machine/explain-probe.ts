import { type Host, whyNoFunction } from '../host/index.js';
import { probeRefusal } from '../kprobe/index.js';
import { listProbes, type ProbeInfo } from './probe-list.js';

/** What is known of one name. */
export interface ProbeExplanation {
  /** What the host has of that name, each with why it is refused, if it is. */
  readonly probes: readonly ProbeInfo[];
  /** Why there is nothing, or null. */
  readonly missing: string | null;
}

/** A function with an offset in it. */
const PLACE = /^(?:(kprobe|kretprobe):)?([^+:]+)\+(0[xX][0-9a-fA-F]+|\d+)$/;

/**
 * Whether `name` can be probed on `host`, and if not, why: there is no such function (with what became of it, or names that
 * are like it, or what else has that name), it is blacklisted, no instruction begins there, or that instruction cannot be displaced. `name` is that of
 * a function, with `+OFFSET` of an instruction in it, of a tracepoint, or `KIND:NAME` as `listProbes` gives it.
 */
export function explainProbe(host: Host, name: string): ProbeExplanation {
  const [, kind = 'kprobe', symbol, digits] = PLACE.exec(name) ?? [];
  if (symbol !== undefined) return explainOffset(host, kind as 'kprobe' | 'kretprobe', symbol, Number(digits));
  const probes = listProbes(host, name).map((probe) => withInstruction(host, probe));
  if (probes.length > 0) return { probes, missing: null };
  return { probes, missing: `no such tracepoint or function; ${whyMissing(host, lastPart(name))}` };
}

/** `name` is what follows the last colon: it may be known as another kind of probe than was asked for. */
function whyMissing(host: Host, name: string): string {
  const all = listProbes(host);
  const others = all.filter((probe) => lastPart(probe.name) === name).map((probe) => probe.name);
  if (others.length > 0) return `of that name there are ${others.join(', ')}`;
  return whyNoFunction(
    host,
    name,
    all.map((probe) => lastPart(probe.name)),
  );
}

function explainOffset(host: Host, kind: 'kprobe' | 'kretprobe', symbol: string, offset: number): ProbeExplanation {
  if (host.symbols.lookup(symbol) === undefined) {
    return { probes: [], missing: `no such function; ${whyNoFunction(host, symbol)}` };
  }
  if (kind === 'kretprobe' && offset === 0) return explainProbe(host, `kretprobe:${symbol}`);
  const name = `${kind}:${symbol}+0x${offset.toString(16)}`;
  const refused =
    kind === 'kretprobe'
      ? 'return probes stand at the first instruction of a function'
      : refusalAt(host, { symbolName: symbol, offset });
  return { probes: [{ kind, name, refused }], missing: null };
}

/** Listing does not look at instructions, of which a kernel has too many. */
function withInstruction(host: Host, probe: ProbeInfo): ProbeInfo {
  if (probe.refused !== null || (probe.kind !== 'kprobe' && probe.kind !== 'kretprobe')) return probe;
  return { ...probe, refused: refusalAt(host, { symbolName: lastPart(probe.name) }) };
}

function refusalAt(host: Host, place: { symbolName: string; offset?: number }): string | null {
  if (host.text === null) return `the text of ${host.name} cannot be patched`;
  const error = probeRefusal(host, place);
  return error === null ? null : (error.detail.remedy ?? error.message);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1);
}
