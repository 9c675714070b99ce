import { BpfAttachType, BpfError, BpfProgType } from '../base/index.js';
import {
  type AttachmentCounts,
  type AttachmentOptions,
  type BpfProgram,
  ProgramAttachment,
  type Runtime,
} from '../runtime/index.js';
import { IterFile } from './iter-file.js';
import type { IterOptions, IterTarget } from './iter-target.js';
import { mapElemTarget, mapTarget } from './map-targets.js';
import { taskFileTarget, taskTarget } from './task-targets.js';

export interface IterAttachment extends IterOptions, Pick<AttachmentOptions, 'cookie' | 'onFault'> {}

/** A program on an iterator, until `detach`. */
export interface IterLink {
  readonly program: BpfProgram;
  readonly counts: AttachmentCounts;
  /** BPF_ITER_CREATE: a file to read. Open files end with the link. */
  open(): IterFile;
  /** Idempotent. */
  detach(): void;
}

/** What a runtime and its host offer to be walked. */
export class Iterators {
  readonly #runtime: Runtime;
  readonly #targets: readonly IterTarget[];
  #sessions = 0n;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    const { host } = runtime;
    this.#targets = [taskTarget(host), taskFileTarget(host), mapTarget(runtime), mapElemTarget(runtime)];
  }

  get names(): readonly string[] {
    return this.#targets.map(({ name }) => name);
  }

  /**
   * BPF_LINK_CREATE for BPF_TRACE_ITER: ESRCH for a target that is not there (what libbpf answers), EINVAL for a program of
   * another type, and what the target answers to its options.
   */
  attach(program: BpfProgram, name: string, options: IterAttachment = {}): IterLink {
    const what = `attaching ${program.name} to iterator ${name}`;
    const target = this.#targets.find((candidate) => candidate.name === name);
    if (target === undefined) {
      throw new BpfError('ESRCH', what, { value: name, remedy: `there are: ${this.names.join(', ')}` });
    }
    const { type, executable } = program;
    if (type !== BpfProgType.BPF_PROG_TYPE_TRACING || executable.expectedAttachType !== BpfAttachType.BPF_TRACE_ITER) {
      throw new BpfError('EINVAL', what, { value: type, remedy: `its section must be iter/${name}` });
    }
    const cursors = target.prepare(options);
    const hook = { size: 8 + 8 * target.words, regs: null };
    const call = new ProgramAttachment(this.#runtime, program, hook, options);
    const open = new Set<IterFile>();
    options.map?.retain();
    return {
      program,
      get counts() {
        return call.counts;
      },
      open: () => {
        if (!call.live) throw new BpfError('ENOENT', what, { remedy: 'its link is detached' });
        const parts = {
          runtime: this.#runtime,
          call,
          words: target.words,
          sessionId: ++this.#sessions,
          onClose: () => open.delete(file),
        };
        const file: IterFile = new IterFile(parts, cursors());
        open.add(file);
        return file;
      },
      detach: () => {
        if (!call.live) return;
        for (const file of open) file.close();
        call.dispose();
        options.map?.release();
      },
    };
  }
}
