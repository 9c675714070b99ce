import type { BpfRunCtx } from '../run-context.js';

/**
 * Argument types, after enum bpf_arg_type. They drive the run-time checks of checked programs and, later,
 * the verifier. `mem` types are followed by their `size` argument.
 */
export type HelperArg =
  | 'anything'
  | 'const_map_ptr'
  | 'map_key'
  | 'map_value'
  /** Writable memory of the size of a value, its content overwritten; what a bloom filter is asked for is read only. */
  | 'map_value_uninit'
  /** Readable memory of the program (stack, map value, context ...), its size the next argument. */
  | 'mem'
  /** As `mem`, or NULL. */
  | 'mem_or_null'
  /** Writable memory, its content overwritten. */
  | 'mem_uninit'
  /** As `mem_uninit`, or NULL. */
  | 'mem_uninit_or_null'
  /** Writable memory that is in a map, its size the next argument. */
  | 'map_mem'
  /** 8 writable bytes. */
  | 'long_uninit'
  /** A NUL-terminated string in a value of a map that programs cannot write. */
  | 'const_str'
  | 'const_size'
  | 'const_size_or_zero'
  | 'ctx'
  /** A subprogram (BPF_PSEUDO_FUNC). */
  | 'func'
  /** Pointer to stack, or NULL. */
  | 'stack_or_null'
  /** A ring buffer record that this run has reserved. */
  | 'ringbuf_mem'
  /** Bytes on the stack that the call makes a dynamic pointer of; one that it uses; one of a record, which the call takes back. */
  | 'dynptr_uninit'
  | 'dynptr'
  | 'dynptr_ringbuf'
  /** The file that this run of an iterator writes. */
  | 'seq_file'
  | 'btf_id'
  /** A pointer of the host that is not NULL. */
  | 'trusted_ptr'
  /** A pointer that a kfunc has given this run to keep (KF_ACQUIRE), which the call takes back. */
  | 'released_ptr'
  /** Bytes on the stack that the call makes an iterator of, and such an iterator; which one the row says. */
  | 'iter_uninit'
  | 'iter';

/** How r0 is formed from what the implementation returns. */
export type HelperReturn =
  /** A signed 32-bit number, sign-extended. */
  | 'integer'
  /** Low word returned, high word in `run.resultHi`. */
  | 'u64'
  /** An offset in BpfMemory, or 0 for NULL. */
  | 'map_value_or_null'
  | 'mem_or_null'
  | 'void';

/**
 * A helper's implementation: r1..r5 as word pairs. Pointers into BpfMemory are their low word. Never throws
 * for what a program does: failures are negative errno.
 */
export type HelperImpl = (
  run: BpfRunCtx,
  r1Lo: number,
  r1Hi: number,
  r2Lo: number,
  r2Hi: number,
  r3Lo: number,
  r3Hi: number,
  r4Lo: number,
  r4Hi: number,
  r5Lo: number,
  r5Hi: number,
) => number;

/** One row of the helper table: all that verifier, interpreter and JIT need to know. */
export interface Helper {
  /** Linux's number (BpfFuncId); 0 for kernel functions, which have none. */
  readonly id: number;
  /** Name without `bpf_`. */
  readonly name: string;
  readonly args: readonly HelperArg[];
  readonly ret: HelperReturn;
  readonly gplOnly: boolean;
  /** Program types that may call it; absent: all. */
  readonly programTypes?: readonly number[];
  /** Expected attach types of programs that may call it; absent: any. */
  readonly attachTypes?: readonly number[];
  /** May sleep: only programs that may can call it. */
  readonly sleepable?: boolean;
  readonly impl: HelperImpl;
}
