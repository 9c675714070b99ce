import * as runtime from 'kscope/runtime';

/** An engine under test, on a memory of its own kind. */
export interface EngineRow {
  readonly name: string;
  /** A special case of another row, which only the workloads tell apart. */
  readonly isVariant?: true;
  create(): runtime.Engine;
  /** The runtime's memory; absent: its own. */
  memory?(): runtime.BpfMemory;
}

/** All that is compared. The first one is the reference where there is no kernel to compare with. */
export const ENGINES: readonly EngineRow[] = [
  { name: 'interp', create: () => runtime.createInterpreter() },
  ...jitRows(),
];

/** One row per engine. */
export const PLAIN_ENGINES: readonly EngineRow[] = ENGINES.filter(({ isVariant }) => isVariant !== true);

/** A build without the JIT has no such rows. */
function jitRows(): EngineRow[] {
  if (!('createJit' in runtime)) return [];
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- see above
  const createJit = runtime.createJit as (options?: { readonly assumeProved?: boolean }) => runtime.Engine;
  return [
    { name: 'jit', create: () => createJit() },
    { name: 'jit proved', isVariant: true, create: () => createJit({ assumeProved: true }) },
    { name: 'jit shared', isVariant: true, create: () => createJit(), memory: sharedMemory },
  ];
}

/** Memory that other threads can be given; programs use WebAssembly's atomic instructions in it. */
export function sharedMemory(): runtime.BpfMemory {
  const maximum = 1024;
  const memory = new WebAssembly.Memory({ initial: 512, maximum, shared: true });
  return new runtime.BpfMemory({ memory, maxBytes: maximum * 65536 });
}
