import { BpfError } from '../base/index.js';
import type { Host } from '../host/index.js';
import { AddressTable } from './address-table.js';
import type { ExecutablePlan } from './kprobe-point.js';
import type { KprobePlace } from './kprobe.js';
import { readProbedInsn, resolvePlace, type ResolvedPlace } from './resolve.js';
import { TextReader } from './text-reader.js';

/** How the instruction at a place is executed once it is displaced, with its bytes. Errors as register_kprobe(). */
export function planProbe(
  host: Host,
  reader: TextReader,
  place: ResolvedPlace,
): { plan: ExecutablePlan; bytes: Uint8Array } {
  const { bytes, context } = readProbedInsn(host, reader, place);
  const plan = host.arch.probing.plan(bytes, place.addr, context);
  if (plan.kind !== 'refuse') return { plan, bytes };
  throw new BpfError(plan.errno, `placing a probe at ${host.symbols.format(place.addr)}`, {
    remedy: `not possible: ${plan.reason}`,
  });
}

/**
 * Why a probe at `place` would be refused, or null. Asks a host whose text nobody has patched; of one with probes ask its
 * registry.
 */
export function probeRefusal(host: Host, place: KprobePlace): BpfError | null {
  try {
    planProbe(host, new TextReader(host, new AddressTable()), resolvePlace(host, place));
    return null;
  } catch (error) {
    if (error instanceof BpfError) return error;
    throw error;
  }
}
