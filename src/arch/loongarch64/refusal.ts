import type { ErrnoName } from '../../base/index.js';
import { INSN_BYTES, readInsn } from './decode.js';
import { classify, type LoongArchInsnClass } from './insn-class.js';

/** Why an instruction cannot be probed, with the errno that register_kprobe() gives. */
export interface Refusal {
  readonly errno: ErrnoName;
  readonly reason: string;
}

const LINKED = 'a trap between a load-linked and its store-conditional would make the store fail for ever';

/**
 * Linux refuses atomics, load-linked and store-conditional, and branches on floating-point conditions
 * (insns_not_supported in arch/loongarch/kernel/inst.c). The others it keeps out of reach by its blacklist or runs in the
 * slot, where they would see the state of the trap.
 */
const REFUSED: Partial<Record<LoongArchInsnClass, string>> = {
  'load-linked': LINKED,
  'store-conditional': LINKED,
  amo: 'atomic memory accesses are not displaced',
  'float-branch': 'it goes by a register of floating point or binary translation, which a trap does not show',
  break: 'a breakpoint that kscope did not place stands here',
  syscall: 'syscall would be made from the slot',
  call: 'it calls the hypervisor or the debugger with its own address',
  ertn: 'it leaves the kernel from within the probe',
  idle: 'idle in a slot would sleep with interrupts off',
  csr: 'it reads or changes the state of the processor, which differs within a trap',
  system: 'it acts on the state of the system',
};

/** How far back a load-linked is looked for: as many instructions as any sequence in the kernel has, with room. */
export const LINKED_BYTES = 64;

/** Why an instruction of this class, behind the bytes `before`, is refused; or null. */
export function refusalOf(insnClass: LoongArchInsnClass, before: Uint8Array | undefined): Refusal | null {
  const reason = REFUSED[insnClass] ?? (before !== undefined && isLinked(before) ? LINKED : undefined);
  return reason === undefined ? null : { errno: 'EINVAL', reason };
}

/** Whether the last load-linked in `bytes` has had no store-conditional behind it. */
function isLinked(bytes: Uint8Array): boolean {
  for (let at = bytes.length - INSN_BYTES; at >= 0; at -= INSN_BYTES) {
    const found = classify(readInsn(bytes, at) as number);
    if (found === 'load-linked') return true;
    if (found === 'store-conditional') return false;
  }
  return false;
}
