/**
 * What compiled code knows of the CPU it runs on: one block per CPU in BpfMemory, at
 * `Runtime.cpuBlocks + cpu * CpuBlock.stride`, for as long as the runtime lives. Byte offsets; fields are u32.
 */
export const CpuBlock = {
  /** Not 0 while a program of a kprobe, trace event or perf event runs: the kernel's bpf_prog_active. */
  active: 0,
  /** Where r10 of the next run on this CPU points: the stack of the next free run context; 0 where none is free. */
  stackPointer: 4,
  /** Ring buffer records that the run under way has reserved and not committed. */
  records: 8,
  /** `MAX_RECORDS` pairs of data offset and size, the first `records` of them in use. */
  recordTable: 16,
  /** Runs under way that have a run context. */
  depth: 80,
  stride: 128,
} as const;

/** Records that one run may have open without leaving compiled code. */
export const MAX_RECORDS = 8;
