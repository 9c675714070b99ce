import type { ErrnoName } from '../../base/index.js';
import { decodeInsn, RiscvInsn } from './decode.js';
import type { RiscvInsnClass } from './insn-class.js';

/** Why an instruction cannot be probed, with the errno that register_kprobe() gives. */
export interface Refusal {
  readonly errno: ErrnoName;
  readonly reason: string;
}

const FENCE = 'fences order the accesses around them and share their opcode with fence.i';
const RESERVATION = 'a trap between a load-reserved and its store-conditional would make the store fail for ever';

/**
 * Linux refuses the SYSTEM and MISC-MEM opcodes whole (riscv_probe_decode_insn in arch/riscv/kernel/probes). It lets
 * probes stand in load-reserved sequences, which then never come to an end; here those are refused.
 */
const REFUSED: Partial<Record<RiscvInsnClass, string>> = {
  ebreak: 'a breakpoint that kscope did not place stands here',
  ecall: 'ecall would be made from the slot',
  csr: 'it reads or changes the state of the processor, which differs within a trap',
  'trap-return': 'it leaves the kernel from within the probe',
  wfi: 'wfi in a slot would sleep with interrupts off',
  system: 'it acts on the state of the system',
  fence: FENCE,
  'fence-i': FENCE,
  'cache-block': 'cache block operations share their opcode with fences, which are refused',
  'load-reserved': RESERVATION,
  'store-conditional': RESERVATION,
  illegal: 'sixteen zero bits are no instruction',
};

/** Longest sequence that the architecture promises to complete: 16 instructions (ISA manual, LR/SC progress). */
export const RESERVATION_BYTES = 64;

const decoded = new RiscvInsn();

/** Why an instruction of this class, behind the bytes `before`, is refused; or null. */
export function refusalOf(insnClass: RiscvInsnClass, before: Uint8Array | undefined): Refusal | null {
  const reason = REFUSED[insnClass] ?? (before !== undefined && isReserved(before) ? RESERVATION : undefined);
  return reason === undefined ? null : { errno: 'EINVAL', reason };
}

/**
 * Whether `bytes` end between a load-reserved and its store-conditional. Where they may begin within an instruction,
 * both ways to read them count: better one probe less than a store that never succeeds.
 */
function isReserved(bytes: Uint8Array): boolean {
  return endsReserved(bytes, 0) || (bytes.length >= RESERVATION_BYTES && endsReserved(bytes, 2));
}

/** The same, decoding from `start`; false where that does not arrive at the end of an instruction. */
function endsReserved(bytes: Uint8Array, start: number): boolean {
  let reserved = false;
  let at = start;
  while (at < bytes.length && decodeInsn(bytes, at, decoded) !== null) {
    if (decoded.class === 'load-reserved') reserved = true;
    if (decoded.class === 'store-conditional') reserved = false;
    at += decoded.length;
  }
  return reserved && at === bytes.length;
}
