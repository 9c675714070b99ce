import { BpfMemory, createInterpreter, createJit, type Engine } from 'kscope/runtime';

/** An engine under test, on a memory of its own kind. */
export interface EngineRow {
  readonly name: string;
  /** A special case of another row, which only the workloads tell apart. */
  readonly isVariant?: true;
  create(): Engine;
  /** The runtime's memory; absent: its own. */
  memory?(): BpfMemory;
}

/** All that is compared with one another and, where it can be had, with the kernel's JIT. */
export const ENGINES: readonly EngineRow[] = [
  { name: 'interp', create: () => createInterpreter() },
  { name: 'jit', create: () => createJit() },
  { name: 'jit proved', isVariant: true, create: () => createJit({ assumeProved: true }) },
  { name: 'jit shared', isVariant: true, create: () => createJit(), memory: () => sharedMemory() },
];

/** One row per engine. */
export const PLAIN_ENGINES: readonly EngineRow[] = ENGINES.filter(({ isVariant }) => isVariant !== true);

const PAGE = 65536;

/** Memory that can be given to other threads. */
export function sharedMemory(): BpfMemory {
  const maximum = 1024;
  const memory = new WebAssembly.Memory({ initial: maximum / 2, maximum, shared: true });
  return new BpfMemory({ memory, maxBytes: maximum * PAGE });
}
