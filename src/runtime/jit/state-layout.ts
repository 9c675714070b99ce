/**
 * Bytes that compiled code and the JavaScript around it share, one area per program in BpfMemory: byte offsets
 * from its start.
 */
export const StateLayout = {
  /** High word of what a run or helper returns. */
  resultHi: 0,
  /** Not 0 after a call out of the module that found a reason to stop. */
  stopped: 4,
  /** i64: instructions left. */
  budget: 8,
  /** i64: what may_goto leaves of them. */
  loopReserve: 16,
  /** The top of a callee's frame must not be below. */
  frameLimit: 24,
  cpu: 28,
  /** i64 pointer, i64 length: the regions last found readable and writable. */
  readWindow: 32,
  writeWindow: 48,
  /** r0 to r10 of a run that stops. */
  registers: 64,
  /** Offset of the context. */
  context: 152,
  /** As the other windows: the packet, as far as it may be read and written. */
  packetRead: 160,
  packetWrite: 176,
  /** Offset of the `AttachmentBlock` of the hit that is under way, or that of `ownAttachment`. */
  attachment: 192,
  /** r2 of a run that no hook has begun. */
  r2: 196,
  /** Stands in for an `AttachmentBlock` in such runs; only what programs ask for is in it. */
  ownAttachment: 208,
  size: 272,
} as const;

/** Why compiled code calls `fault`. */
export const FaultReason = {
  /** The call before has said so. */
  reported: 0,
  budget: 1,
  frames: 2,
  /** A call of nothing; which is in the instruction. */
  nothing: 3,
  /** An access that the quick comparison did not let through: the interpreter goes on from there. */
  access: 4,
} as const;

/** High word of the base of an empty window: no pointer of any kind has it. */
export const EMPTY_WINDOW_HI = 0x8000_0000 | 0;
/** Windows are compared by `length - size`, so shorter regions are not kept. */
export const LEAST_WINDOW = 8;
