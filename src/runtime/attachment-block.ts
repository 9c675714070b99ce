/**
 * One program on one hook, as compiled code knows it: a block in BpfMemory for as long as it is attached. Byte
 * offsets; counters are u64 of two words, the low one first. Hits are counted in JavaScript:
 * where a program writes no memory, a store in compiled code costs more than all else of a hit.
 */
export const AttachmentBlock = {
  /** u32: hits of the batch under way that have not begun. */
  left: 0,
  /** Missed because a program was running on the CPU already. */
  recursion: 8,
  /** Missed because no run context was left on the CPU. */
  nesting: 16,
  /** Runs that had to stop. */
  faults: 24,
  /** u64 each: what bpf_get_attach_cookie and bpf_get_func_ip answer. */
  cookie: 32,
  funcIp: 40,
  /** Offset of the program's own guard, a u32 per CPU. */
  active: 48,
  size: 64,
} as const;
