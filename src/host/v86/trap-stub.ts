/** The I/O port that the stub writes to. Nothing of a PC answers there. */
export const TRAP_PORT = 0x4b50;

/** eax, where the stub hands over the address of the kernel's struct pt_regs. */
export const STUB_ARGUMENT = 0;
/** ecx, where it looks for the answer. */
export const STUB_ANSWER = 1;
export const ANSWER_HANDLED = 0;
export const ANSWER_FOREIGN = 1;

/** Bytes of a near jump. */
export const JUMP_LENGTH = 5;

/** `jmp to`, standing at `from`. */
export function jump(from: number, to: number): Uint8Array {
  const bytes = Uint8Array.of(0xe9, 0, 0, 0, 0);
  new DataView(bytes.buffer).setInt32(1, (to - from - JUMP_LENGTH) | 0, true);
  return bytes;
}

/**
 * What stands in for the guest's `exc_int3(struct pt_regs *)`, entered by a jump from its first instruction: it writes to
 * the port, and is back in the guest's own trap exit if the trap was ours; otherwise it goes on behind `prologue`, the
 * instructions that the jump replaced. eax, ecx and edx are the function's own to change.
 */
export function trapStub(address: number, handler: number, prologue: Uint8Array): Uint8Array {
  // mov $TRAP_PORT, %dx; out %al, %dx; test %ecx, %ecx; jnz 1f; ret; 1:
  const head = [0x66, 0xba, TRAP_PORT & 0xff, TRAP_PORT >> 8, 0xee, 0x85, 0xc9, 0x75, 0x01, 0xc3];
  const back = jump(address + head.length + prologue.length, handler + prologue.length);
  return Uint8Array.of(...head, ...prologue, ...back);
}
