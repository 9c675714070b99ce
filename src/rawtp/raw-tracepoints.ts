import { BpfAttachType, BpfError, BpfProgType } from '../base/index.js';
import {
  ContextSlots,
  type AttachmentOptions,
  type BpfProgram,
  CpuBlock,
  linkProgram,
  type Prepare,
  type ProgramLink,
  type Runtime,
} from '../runtime/index.js';
import type { Tracepoint, TracepointRegistry } from '../tracepoint/index.js';
import { MAX_ARGS, tracepointPrototype } from './btf-prototype.js';
import { attachWritable } from './writable-tracepoint.js';
import { parseRawTracepointAttr, readTracepointName, type UserStringReader } from './raw-tracepoint-attr.js';

/** Contexts per CPU: one for each number of runs under way, 0 to 4; the last one's hits are all missed. */
const LEVELS = 5;

export type RawTracepointOptions = Pick<AttachmentOptions, 'cookie' | 'onFault'>;

/** A program on the raw arguments of a tracepoint, until `detach`. */
export interface RawTracepointLink extends ProgramLink {
  readonly tracepoint: Tracepoint;
}

/**
 * Raw tracepoints: programs that see a tracepoint's arguments as u64 (struct bpf_raw_tracepoint_args), whether or not
 * any of its trace events is in use. Programs of type tracing see the same words, typed by the kernel's BTF.
 */
export class RawTracepoints {
  readonly #runtime: Runtime;
  readonly #registry: TracepointRegistry;
  readonly #contexts: ContextSlots;

  constructor(runtime: Runtime, registry: TracepointRegistry) {
    this.#runtime = runtime;
    this.#registry = registry;
    this.#contexts = new ContextSlots(runtime.memory, runtime.cpus, 8 * MAX_ARGS, LEVELS);
  }

  /**
   * BPF_RAW_TRACEPOINT_OPEN from the bytes of its attributes, with Linux's errors in Linux's order: E2BIG and EINVAL
   * for the bytes, EBADF for the descriptor, EINVAL for the program's type (or a name where it has its own), EFAULT
   * and ENOENT for the name.
   */
  open(
    attr: Uint8Array,
    readUser: UserStringReader,
    programOf: (fd: number) => BpfProgram | undefined,
    options: Pick<AttachmentOptions, 'onFault'> = {},
  ): RawTracepointLink {
    const { name, progFd, cookie } = parseRawTracepointAttr(attr);
    const program = programOf(progFd);
    if (program === undefined) {
      throw new BpfError('EBADF', 'opening a raw tracepoint', {
        value: progFd,
        remedy: 'this descriptor is not that of a program',
      });
    }
    if (program.type === BpfProgType.BPF_PROG_TYPE_TRACING) throw namedAtLoad(program);
    checkRawType(program);
    return this.attach(program, readTracepointName(name, readUser), { cookie, ...options });
  }

  /**
   * Attaches a program of type raw_tracepoint. EINVAL for another type, ENOENT for an unknown tracepoint. Writable
   * ones: EINVAL where the tracepoint offers nothing to write, as in Linux.
   */
  attach(program: BpfProgram, name: string, options: RawTracepointOptions = {}): RawTracepointLink {
    checkRawType(program);
    const tracepoint = this.#registry.tracepoint(name);
    checkArgCount(tracepoint, tracepoint.descriptor.args.length);
    if (program.type === BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE) {
      return attachWritable(this.#runtime, program, tracepoint, options);
    }
    return this.#link(program, tracepoint, options);
  }

  /**
   * Attaches a program of type tracing with attach type BPF_TRACE_RAW_TP. ESRCH where the host's BTF does not type the
   * tracepoint, ENOENT where the host does not have it, EINVAL for another type or where BTF and host disagree.
   */
  attachBtf(program: BpfProgram, name: string, options: RawTracepointOptions = {}): RawTracepointLink {
    if (!isBtfTyped(program)) {
      throw new BpfError('EINVAL', `attaching ${program.name} to tracepoint ${name} by BTF`, {
        value: program.type,
        remedy: 'it must be of type tracing, its attach type BPF_TRACE_RAW_TP',
      });
    }
    const { btf, name: host } = this.#runtime.host;
    if (btf === null) {
      throw new BpfError('ESRCH', `finding the types of tracepoint ${name}`, { remedy: `${host} has no BTF` });
    }
    const typed = tracepointPrototype(btf, name).length;
    const tracepoint = this.#registry.tracepoint(name);
    checkArgCount(tracepoint, typed);
    return this.#link(program, tracepoint, options);
  }

  /** Gives the context slots back; nothing may be attached any more. */
  close(): void {
    this.#contexts.free();
  }

  #link(program: BpfProgram, tracepoint: Tracepoint, options: RawTracepointOptions): RawTracepointLink {
    const size = 8 * tracepoint.descriptor.args.length;
    const place = { owner: this, hook: { size, regs: null }, prepare: this.#writer(size) };
    return Object.assign(linkProgram(this.#runtime, program, tracepoint, place, options), { tracepoint });
  }

  /** Puts arguments where no hit that this one has interrupted has its own. */
  #writer(size: number): Prepare<Int32Array> {
    const { memory, cpuBlocks } = this.#runtime;
    const { start, stride } = this.#contexts;
    const depths = (cpuBlocks + CpuBlock.depth) >>> 2;
    return (args, cpu, use) => {
      const { i32 } = memory;
      const level = cpu * LEVELS + i32[depths + cpu * (CpuBlock.stride / 4)];
      const ctx = start + level * stride;
      const words = (use < size ? use + 3 : size) >> 2;
      for (let i = 0; i < words; i++) i32[(ctx >> 2) + i] = args[i];
      return ctx;
    };
  }
}

function isBtfTyped(program: BpfProgram): boolean {
  return (
    program.type === BpfProgType.BPF_PROG_TYPE_TRACING &&
    program.executable.expectedAttachType === BpfAttachType.BPF_TRACE_RAW_TP
  );
}

function namedAtLoad(program: BpfProgram): BpfError {
  return new BpfError('EINVAL', `opening a raw tracepoint for ${program.name}`, {
    remedy: 'programs of type tracing name their tracepoint when they are loaded: attach them by BTF',
  });
}

function checkRawType(program: BpfProgram): void {
  const { BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE } = BpfProgType;
  if (program.type === BPF_PROG_TYPE_RAW_TRACEPOINT || program.type === BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE) return;
  throw new BpfError('EINVAL', `attaching ${program.name} to a raw tracepoint`, {
    value: program.type,
    remedy: 'only programs of type raw_tracepoint and raw_tracepoint_writable run there',
  });
}

function checkArgCount(tracepoint: Tracepoint, count: number): void {
  const offered = tracepoint.descriptor.args.length;
  if (count === offered && count <= MAX_ARGS) return;
  throw new BpfError('EINVAL', `attaching to raw tracepoint ${tracepoint.name}`, {
    value: count,
    remedy: `the host passes ${offered} arguments; at most ${MAX_ARGS} can be traced, and its BTF must agree`,
  });
}
