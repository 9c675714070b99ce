import { encodedSimImage } from '../../../src/host/sim/image.js';
import { type JournalEntry, JournalKind } from '../../../src/host/sim/machine/sim-journal.js';
import { SimMachine } from '../../../src/host/sim/machine/sim-machine.js';

/** What a test boots: a workload by name or a script, on so many CPUs. */
export interface KernelRun {
  readonly cpus: number;
  readonly seed: number;
  readonly workload?: string;
  readonly script?: string;
}

export function bootKernel({ cpus, seed, workload = '', script = '' }: KernelRun): SimMachine {
  return new SimMachine(encodedSimImage, {
    cpus,
    seed: BigInt(seed),
    workload,
    script,
    tickNs: 1_000_000n,
    realtimeNs: 1_700_000_000_000_000_000n,
    diskSectors: 131_072n,
    memoryBytes: 32 << 20,
    nsPerInsn: 10,
  });
}

/** Runs until init exits; `null` if it never does within a budget that is ample for every script here. */
export function runToEnd(machine: SimMachine): { stop: string; status: number | null } {
  const stop = machine.run({ instructions: 60_000_000 });
  const last = [...machine.journal.entries(JournalKind.EXIT)].find((entry) => pidOf(entry.a) === 1);
  return { stop, status: last === undefined ? null : Number(last.b) };
}

export const pidOf = (task: bigint): number => Number(task & 0xffff_ffffn);
export const tgidOf = (task: bigint): number => Number(task >> 32n);
export const signed = (value: bigint): number => Number(BigInt.asIntN(64, value));

/** The entries of a run, boot included. */
export function journalOf(run: KernelRun): { machine: SimMachine; entries: JournalEntry[]; stop: string; status: number | null } {
  const machine = bootKernel(run);
  const end = runToEnd(machine);
  return { machine, entries: [...machine.journal.entries()], ...end };
}

/** Physical address of a kernel symbol. */
export function physicalOf(name: string): number {
  const line = encodedSimImage.symbols.split('\n').find((text) => text.endsWith(` ${name}`));
  if (line === undefined) throw new Error(`the kernel has no symbol ${name}`);
  return Number(encodedSimImage.base - 0xffff_ffff_8000_0000n) + Number.parseInt(line, 16);
}
