import type { KernelReader, KernelTask } from '../runtime/index.js';

/** Descriptors looked at in one table at most. */
const DESCRIPTORS_MAX = 1 << 16;

/** The tables of open files of tasks: behind a `struct fdtable`, or (in small kernels) in `files_struct` itself. */
export class TaskFiles {
  readonly #reader: KernelReader;
  readonly #files: number;
  readonly #table: { readonly fdt: number; readonly fd: number; readonly maxFds: number } | null;
  readonly #array: number;
  readonly #arrayLength: number;

  constructor(reader: KernelReader) {
    this.#reader = reader;
    this.#files = reader.need('task_struct', 'files');
    const fdt = reader.offset('files_struct', 'fdt');
    this.#table =
      fdt === undefined ? null : { fdt, fd: reader.need('fdtable', 'fd'), maxFds: reader.need('fdtable', 'max_fds') };
    this.#array = fdt === undefined ? reader.need('files_struct', 'fd_array') : 0;
    this.#arrayLength = fdt === undefined ? reader.count('files_struct', 'fd_array') : 0;
  }

  /** False for a thread that has the table of its process. */
  areOwn({ address, leader }: KernelTask): boolean {
    return address === leader || this.#filesOf(address) !== this.#filesOf(leader);
  }

  of(task: bigint): { readonly fd: number; readonly file: bigint }[] {
    const files = this.#filesOf(task);
    if (files === 0n) return [];
    const { array, length } = this.#tableOf(files);
    const open: { fd: number; file: bigint }[] = [];
    for (let fd = 0; fd < Math.min(length, DESCRIPTORS_MAX); fd++) {
      const file = this.#reader.pointer(array + BigInt(8 * fd));
      if (file !== 0n) open.push({ fd, file });
    }
    return open;
  }

  #filesOf(task: bigint): bigint {
    return this.#reader.pointer(task + BigInt(this.#files));
  }

  #tableOf(files: bigint): { readonly array: bigint; readonly length: number } {
    if (this.#table === null) return { array: files + BigInt(this.#array), length: this.#arrayLength };
    const { fdt, fd, maxFds } = this.#table;
    const table = this.#reader.pointer(files + BigInt(fdt));
    return { array: this.#reader.pointer(table + BigInt(fd)), length: this.#reader.u32(table + BigInt(maxFds)) };
  }
}
