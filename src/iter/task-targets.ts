import { BpfError } from '../base/index.js';
import type { Host } from '../host/index.js';
import type { IterObject, IterOptions, IterTarget } from './iter-target.js';
import { KernelReader, type KernelTask, KernelTasks } from '../runtime/index.js';
import { ListCursor } from './list-cursor.js';
import { TaskFiles } from './task-files.js';

/** Threads, by id (kernel/bpf/task_iter.c). */
export function taskTarget(host: Host): IterTarget {
  return {
    name: 'task',
    words: 1,
    prepare(options) {
      const wants = taskFilter(options);
      const tasks = KernelTasks.of(host);
      return () => new TaskCursor(tasks, wants);
    },
  };
}

/** The open files of all threads; those that share the files of their process are passed over. */
export function taskFileTarget(host: Host): IterTarget {
  return {
    name: 'task_file',
    words: 3,
    prepare(options) {
      const wants = taskFilter(options);
      const reader = new KernelReader(host, 'walking files');
      const tasks = KernelTasks.of(host);
      const files = new TaskFiles(reader);
      return () => new TaskFileCursor(tasks, files, wants);
    },
  };
}

type Wants = (task: KernelTask) => boolean;

/** bpf_iter_attach_task(): a thread or a process, not both. */
function taskFilter({ tid, pid }: IterOptions): Wants {
  if (tid !== undefined && pid !== undefined) {
    throw new BpfError('EINVAL', 'walking tasks', { remedy: 'choose a thread (tid) or a process (pid), not both' });
  }
  return (task) => (tid === undefined || task.pid === tid) && (pid === undefined || task.tgid === pid);
}

class TaskCursor extends ListCursor<KernelTask> {
  readonly #tasks: KernelTasks;
  readonly #wants: Wants;
  /** Threads with a lower id have been shown. */
  #tid = 0;

  constructor(tasks: KernelTasks, wants: Wants) {
    super();
    this.#tasks = tasks;
    this.#wants = wants;
  }

  protected override list(): readonly KernelTask[] {
    return this.#tasks.list().filter((task) => task.pid >= this.#tid && this.#wants(task));
  }

  protected override show(task: KernelTask | undefined): IterObject | null {
    this.#tid = task?.pid ?? Infinity;
    return task === undefined ? null : { words: [task.address] };
  }
}

interface TaskFile {
  readonly task: KernelTask;
  readonly fd: number;
  readonly file: bigint;
}

class TaskFileCursor extends ListCursor<TaskFile> {
  readonly #tasks: KernelTasks;
  readonly #files: TaskFiles;
  readonly #wants: Wants;
  /** What is to be shown next. */
  #tid = 0;
  #fd = 0;

  constructor(tasks: KernelTasks, files: TaskFiles, wants: Wants) {
    super();
    this.#tasks = tasks;
    this.#files = files;
    this.#wants = wants;
  }

  protected override list(): readonly TaskFile[] {
    return this.#tasks
      .list()
      .filter((task) => task.pid >= this.#tid && this.#wants(task) && this.#files.areOwn(task))
      .flatMap((task) => this.#files.of(task.address).map(({ fd, file }) => ({ task, fd, file })))
      .filter(({ task, fd }) => task.pid > this.#tid || fd >= this.#fd);
  }

  protected override show(here: TaskFile | undefined): IterObject | null {
    this.#tid = here?.task.pid ?? Infinity;
    this.#fd = here?.fd ?? 0;
    return here === undefined ? null : { words: [here.task.address, BigInt(here.fd), here.file] };
  }
}
