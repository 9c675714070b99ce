import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Resident memory beyond that before the first load, in MiB. */
export interface MemoryFigures {
  readonly engine: string;
  readonly loaded: number;
  readonly unloaded: number;
  /** The same 1,000 programs anew: what is left after unloading serves for them. */
  readonly loadedAgain: number;
  readonly unloadedAgain: number;
}

/** What 1,000 programs of 100 instructions, each an object of its own, take in a process of their own. */
export function memoryOfPrograms(engine: string): MemoryFigures {
  const child = fileURLToPath(new URL('./memory-child.js', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [child, engine], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the memory benchmark ended with ${status}\n${stderr}`);
  return JSON.parse(stdout) as MemoryFigures;
}
