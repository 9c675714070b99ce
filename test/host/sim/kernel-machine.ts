import type { KernelSymbol } from '../../../src/host/index.js';
import { type SimHost, createSim } from '../../../src/host/sim/index.js';
import { type JournalEntry, JournalKind } from '../../../src/host/sim/machine/sim-journal.js';

/** What a test boots: a workload by name or a script, on so many CPUs. */
export interface KernelRun {
  readonly cpus: number;
  readonly seed: number;
  readonly workload?: string;
  readonly script?: string;
}

/** How a run ended. `status` is init's, null if it never exited. */
export interface KernelEnd {
  readonly stop: string;
  readonly status: number | null;
}

/** Runs until init exits, within a budget that is ample for every script here. */
export function runToEnd(host: SimHost): KernelEnd {
  const stop = host.run({ instructions: 60_000_000 });
  const last = [...host.journal.entries(JournalKind.EXIT)].find((entry) => pidOf(entry.a) === 1);
  return { stop, status: last === undefined ? null : Number(last.b) };
}

export const pidOf = (task: bigint): number => Number(task & 0xffff_ffffn);
export const tgidOf = (task: bigint): number => Number(task >> 32n);
export const signed = (value: bigint): number => Number(BigInt.asIntN(64, value));

/** The entries of a whole run, boot included. */
export function journalOf(run: KernelRun): KernelEnd & { readonly host: SimHost; readonly entries: JournalEntry[] } {
  const host = createSim(run);
  const end = runToEnd(host);
  return { host, entries: [...host.journal.entries()], ...end };
}

/** The kernel's symbol of that name. */
export function kernelSymbol(host: SimHost, name: string): KernelSymbol {
  const symbol = host.symbols.lookup(name);
  if (symbol === undefined) throw new Error(`the kernel has no symbol ${name}`);
  return symbol;
}

/** A 64-bit word of kernel memory. */
export function kernelWord(host: SimHost, address: bigint): bigint {
  const bytes = new Uint8Array(8);
  const found = host.memory.readKernel(Number(address & 0xffff_ffffn) | 0, Number(address >> 32n) | 0, bytes, 0, 8);
  if (!found) throw new Error(`nothing at 0x${address.toString(16)}`);
  return new DataView(bytes.buffer).getBigUint64(0, true);
}
