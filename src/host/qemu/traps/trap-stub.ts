/** Where the parts of a trap stub lie, in bytes from its start; the same on every architecture (stubs/*.S). */
export const TrapStub = {
  /** Room for the displaced beginning of the guest's handler, filled with no-ops. */
  prologue: 0xc0,
  prologueSize: 32,
  /** A breakpoint: where hijacked returns go. */
  trampoline: 0x100,
  /** Virtual address of the slots, one of `SLOT_SIZE` for each CPU. */
  mailbox: 0x140,
  /** Where the guest's handler goes on behind its displaced beginning. */
  resume: 0x148,
  /** x86_64: offset of the current task in per-CPU memory. riscv64: offset of the CPU number in the current task. */
  parameter: 0x150,
  size: 0x160,
} as const;

/** A slot of the mailbox: u32 state, then 64-bit words. */
export const TrapSlot = {
  size: 64,
  state: 0,
  regs: 8,
  current: 16,
  root: 24,
} as const;

export const SlotState = {
  free: 0,
  /** The CPU met a trap and waits. */
  posted: 1,
  /** It goes on with the registers as they are now. */
  handled: 2,
  /** It goes on in the guest's own handler. */
  passedOn: 3,
} as const;

export interface TrapStubOptions {
  readonly code: string;
  /** First instructions of the guest's handler, at most `TrapStub.prologueSize` bytes, which run anywhere. */
  readonly prologue: Uint8Array;
  readonly mailbox: bigint;
  readonly resume: bigint;
  readonly parameter: bigint;
}

/** The bytes of a stub with its parameters. */
export function linkTrapStub({ code, prologue, mailbox, resume, parameter }: TrapStubOptions): Uint8Array {
  const bytes = Uint8Array.from({ length: TrapStub.size }, (_, i) => Number.parseInt(code.slice(2 * i, 2 * i + 2), 16));
  if (prologue.length > TrapStub.prologueSize)
    throw new RangeError(`a prologue of ${prologue.length} bytes has no room`);
  bytes.set(prologue, TrapStub.prologue);
  const words = new DataView(bytes.buffer);
  words.setBigUint64(TrapStub.mailbox, BigInt.asUintN(64, mailbox), true);
  words.setBigUint64(TrapStub.resume, BigInt.asUintN(64, resume), true);
  words.setBigUint64(TrapStub.parameter, BigInt.asUintN(64, parameter), true);
  return bytes;
}
