import type { Btf } from '../../../btf/index.js';
import type { GuestMemory } from '../guest-memory.js';
import { NO_PAGE } from '../paging/page-tables.js';
import { KernelReader } from './kernel-reader.js';
import type { CurrentTask } from './linux-tasks.js';
import { taskLayout } from './task-layout.js';

/**
 * Physical address of the top page table of the current program, from its mm: right on every architecture, whatever the
 * CPU's register holds while the kernel runs (PTI, software PAN). `NO_PAGE` for a kernel thread.
 */
export function linuxUserRoot(memory: GuestMemory, btf: Btf, currentTask: CurrentTask): () => number {
  const layout = taskLayout(btf);
  const reader = new KernelReader(memory, btf.pointerSize === 4 ? 4 : 8);
  const task = new Int32Array(2);
  return () => {
    currentTask(task);
    if (!reader.pointer(task[0], task[1], layout.mm) || (reader.lo === 0 && reader.hi === 0)) return NO_PAGE;
    if (!reader.pointer(reader.lo, reader.hi, layout.mmPgd)) return NO_PAGE;
    return memory.physical(reader.lo, reader.hi);
  };
}
