import { hi32, lo32, u64 } from '../../base/index.js';
import type { UserMapping } from '../user-text.js';
import type { KernelLayout } from './kernel-layout.js';
import type { SimFiles } from './sim-files.js';
import type { SimMemory } from './sim-memory.js';

/** More tasks or areas than there can be: a guard against a corrupt list. */
const FOLLOWED_MAX = 10_000;
const PAGE = 4096n;
const VM_EXEC = 4n;

/** Address spaces as the kernel keeps them: the list of tasks, their mm_struct, its areas and their files. */
export class SimAddressSpaces {
  readonly #memory: SimMemory;
  readonly #layout: KernelLayout;
  readonly #files: SimFiles;
  readonly #pair = new Int32Array(2);

  constructor(memory: SimMemory, layout: KernelLayout, files: SimFiles) {
    this.#memory = memory;
    this.#layout = layout;
    this.#files = files;
  }

  /** All tasks, by the address of their task_struct. */
  *tasks(): Iterable<bigint> {
    const first = this.#layout.address('init_task');
    const link = BigInt(this.#layout.offset('task_struct', 'tasks'));
    let task = first;
    for (let i = 0; i < FOLLOWED_MAX; i++) {
      yield task;
      const next = this.field(task, 'task_struct', 'tasks');
      task = next - link;
      if (next === 0n || task === first) return;
    }
  }

  /** The task's mm_struct, 0 where it has no user memory. */
  of(task: bigint): bigint {
    return this.field(task, 'task_struct', 'mm');
  }

  /** What of files is mapped, by ascending address. Files that the disk did not start out with are left out. */
  *mappings(mm: bigint): Iterable<UserMapping> {
    let area = mm === 0n ? 0n : this.field(mm, 'mm_struct', 'mmap');
    for (let i = 0; i < FOLLOWED_MAX && area !== 0n; i++) {
      const mapping = this.#mapping(area);
      if (mapping !== null) yield mapping;
      area = this.field(area, 'vm_area_struct', 'vm_next');
    }
  }

  #mapping(area: bigint): UserMapping | null {
    const mapped = this.field(area, 'vm_area_struct', 'vm_file');
    const id = mapped === 0n ? 0 : this.#files.firstBlock(this.field(mapped, 'file', 'f_inode'));
    const file = this.#files.list.find((known) => known.id === id);
    if (file === undefined) return null;
    return {
      file,
      start: this.field(area, 'vm_area_struct', 'vm_start'),
      end: this.field(area, 'vm_area_struct', 'vm_end'),
      offset: Number(this.field(area, 'vm_area_struct', 'vm_pgoff') * PAGE),
      executable: (this.field(area, 'vm_area_struct', 'vm_flags') & VM_EXEC) !== 0n,
    };
  }

  /** A member of 64 bits of the structure at `address`. */
  field(address: bigint, struct: string, member: string): bigint {
    this.#memory.pair(lo32(address), hi32(address), this.#layout.offset(struct, member), this.#pair, 0);
    return u64(this.#pair[0], this.#pair[1]);
  }
}
