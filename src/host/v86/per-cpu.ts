import type { GuestMemory } from '../guest/index.js';
import type { V86Machine } from './v86-machine.js';

/** The kernel's descriptor for its per-CPU segment (fs) in the global descriptor table: GDT_ENTRY_PERCPU. */
const PERCPU_ENTRY = 27;

/** Address of the per-CPU area, from the descriptor that the kernel loads into fs; 0 where there is none. */
export function perCpuBase(machine: V86Machine, memory: GuestMemory): number {
  const at = (machine.cpu.gdtr_offset[0] + 8 * PERCPU_ENTRY) | 0;
  const entry = new Uint8Array(8);
  if (!memory.readKernel(at, 0, entry, 0, entry.length)) return 0;
  return (entry[2] | (entry[3] << 8) | (entry[4] << 16) | (entry[7] << 24)) >>> 0;
}
