import { hi32, lo32 } from '../../base/index.js';
import { NO_PAGE, type PageRoots } from '../guest/index.js';

/**
 * Where the event being handled happens: its CPU, the task current there, and the address spaces in force. Between events
 * CPU 0, no task, and the kernel's space only.
 */
export class TrapContext implements PageRoots {
  /** Whether a trap is being handled. */
  active = false;
  cpu = 0;
  /** Address of the current task's task_struct; 0 where it is not known. */
  taskLo = 0;
  taskHi = 0;
  /** Physical address of the page table root in force on `cpu`. */
  root = NO_PAGE;
  /** Top table of user addresses; asked only while a trap is handled. */
  userRoot: () => number = () => this.root;
  readonly #kernelRoot: () => number;

  /** `kernelRoot` is asked where no trap is handled, and always if it is the same for all of them. */
  constructor(kernelRoot: () => number) {
    this.#kernelRoot = kernelRoot;
  }

  kernel(): number {
    return this.#kernelRoot();
  }

  user(): number {
    return this.active ? this.userRoot() : NO_PAGE;
  }

  enter(cpu: number, taskLo: number, taskHi: number, root: number): void {
    this.active = true;
    this.cpu = cpu;
    this.taskLo = taskLo;
    this.taskHi = taskHi;
    this.root = root;
  }

  enterTask(cpu: number, task: bigint, root: number): void {
    this.enter(cpu, lo32(task), hi32(task), root);
  }

  leave(): void {
    this.active = false;
    this.cpu = 0;
    this.taskLo = 0;
    this.taskHi = 0;
    this.root = NO_PAGE;
  }
}
