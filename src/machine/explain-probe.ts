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

/**
 * Whether `name` can be probed on `host`, and if not, why: there is no such function (with what became of it, or names that
 * are like it), it is blacklisted, no instruction begins there, or that instruction cannot be displaced. `name` is that of
 * a function, with `+OFFSET` of an instruction in it, of a tracepoint, or `KIND:NAME` as `listProbes` gives it.
 */
export function explainProbe(host: Host, name: string): ProbeExplanation {
  const [, symbol, digits] = /^(?:kprobe:)?([^+:]+)\+(0[xX][0-9a-fA-F]+|\d+)$/.exec(name) ?? [];
  if (symbol !== undefined) return explainOffset(host, symbol, Number(digits));
  const probes = listProbes(host, name).map((probe) => withInstruction(host, probe));
  if (probes.length > 0) return { probes, missing: null };
  const last = name.slice(name.lastIndexOf(':') + 1);
  const names = listProbes(host).map((probe) => lastPart(probe.name));
  return { probes, missing: `no such tracepoint or function; ${whyNoFunction(host, last, names)}` };
}

function explainOffset(host: Host, symbol: string, offset: number): ProbeExplanation {
  if (host.symbols.lookup(symbol) === undefined) {
    return { probes: [], missing: `no such function; ${whyNoFunction(host, symbol)}` };
  }
  const name = `kprobe:${symbol}+0x${offset.toString(16)}`;
  return {
    probes: [{ kind: 'kprobe', name, refused: refusalAt(host, { symbolName: symbol, offset }) }],
    missing: null,
  };
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
