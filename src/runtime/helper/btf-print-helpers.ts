import { BpfAttachType, BpfError, BpfFuncId, BpfProgType, Errno } from '../../base/index.js';
import { type Btf, showBtf } from '../../btf/index.js';
import type { BpfRunCtx } from '../run-context.js';
import { FormatOutput } from './format-output.js';
import type { Helper } from './helper.js';
import { readKernelBehind } from './host-read.js';

/** BTF_F_*. Pointers are never hashed here, so that PTR_RAW changes nothing. */
const Flag = { COMPACT: 1, NONAME: 2, PTR_RAW: 4, ZERO: 8 } as const;
const ALL = Flag.COMPACT | Flag.NONAME | Flag.PTR_RAW | Flag.ZERO;
/** struct btf_ptr { void *ptr; u32 type_id; u32 flags; } */
const BTF_PTR_SIZE = 16;

/** Values printed by the kernel's own types (bpf_btf_printf_prepare() in kernel/trace/bpf_trace.c). */
export const btfPrintHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_snprintf_btf,
    name: 'snprintf_btf',
    args: ['mem_uninit', 'const_size', 'mem', 'const_size', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: (run, buffer, _bufferHi, size, _sizeHi, ptr, _ptrHi, ptrSize, _ptrSizeHi, flags, flagsHi) => {
      const { u8 } = run.runtime.memory;
      const at = buffer >>> 0;
      const text = printed(run, ptr >>> 0, ptrSize, flags, flagsHi, size - 1);
      if (typeof text === 'number') return text;
      u8.set(text.text, at);
      u8[at + text.text.length] = 0;
      return text.length;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_seq_printf_btf,
    name: 'seq_printf_btf',
    args: ['seq_file', 'mem', 'const_size_or_zero', 'anything'],
    ret: 'integer',
    gplOnly: true,
    programTypes: [BpfProgType.BPF_PROG_TYPE_TRACING],
    attachTypes: [BpfAttachType.BPF_TRACE_ITER],
    impl: (run, _seq, _seqHi, ptr, _ptrHi, ptrSize, _ptrSizeHi, flags, flagsHi) => {
      const { seq } = run;
      if (seq === null) return -Errno.EINVAL;
      const text = printed(run, ptr >>> 0, ptrSize, flags, flagsHi, seq.room);
      if (typeof text === 'number') return text;
      seq.print(text);
      return 0;
    },
  },
];

/** What is behind a `struct btf_ptr`, cut to `limit`; or -errno. */
function printed(
  run: BpfRunCtx,
  ptr: number,
  size: number,
  flags: number,
  flagsHi: number,
  limit: number,
): FormatOutput | number {
  const { btf } = run.runtime.host;
  if ((flags & ~ALL) !== 0 || flagsHi !== 0 || size !== BTF_PTR_SIZE || btf === null) return -Errno.EINVAL;
  const { view } = run.runtime.memory;
  const typeId = view.getInt32(ptr + 8, true);
  if (typeId <= 0) return -Errno.EINVAL;
  if (typeId >= btf.typeCount) return -Errno.ENOENT;
  const memory = new ValueMemory(run, view.getInt32(ptr, true), view.getInt32(ptr + 4, true));
  const text = shown(btf, typeId, memory, flags);
  if (text === undefined) return -Errno.EINVAL;
  if (memory.status !== 0) return memory.status;
  const output = new FormatOutput(limit);
  for (let i = 0; i < text.length; i++) output.byte(text.charCodeAt(i));
  return output;
}

/** Undefined where the type leads nowhere. */
function shown(btf: Btf, typeId: number, memory: ValueMemory, flags: number): string | undefined {
  try {
    return showBtf(btf, typeId, (offset, length) => memory.read(offset, length), {
      compact: (flags & Flag.COMPACT) !== 0,
      noName: (flags & Flag.NONAME) !== 0,
      zero: (flags & Flag.ZERO) !== 0,
    }).text;
  } catch (error) {
    if (error instanceof BpfError) return undefined;
    throw error;
  }
}

/** Memory of the kernel or of the program, read piece by piece. */
class ValueMemory {
  /** How the last read ended: 0 or -errno. */
  status = 0;
  readonly #run: BpfRunCtx;
  readonly #lo: number;
  readonly #hi: number;

  constructor(run: BpfRunCtx, lo: number, hi: number) {
    this.#run = run;
    this.#lo = lo;
    this.#hi = hi;
  }

  read(offset: number, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    this.status = readKernelBehind(this.#run, this.#lo, this.#hi, offset, bytes, length);
    return this.status === 0 ? bytes : null;
  }
}
