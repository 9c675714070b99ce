import { decodeInsn, X86Insn, type X86InsnClass } from '../../arch/index.js';
import { BpfError } from '../../base/index.js';

/** In 32-bit mode nothing but branches depends on where it stands. */
const MOVABLE: ReadonlySet<X86InsnClass> = new Set<X86InsnClass>(['other', 'nop', 'push', 'pop', 'pushf']);

/**
 * The instructions that `bytes`, a function of the guest called `name`, begins with: whole ones, at least `least` bytes of
 * them, and such that do the same anywhere. EOPNOTSUPP where one of them does not.
 */
export function movablePrologue(bytes: Uint8Array, least: number, name: string): Uint8Array {
  const insn = new X86Insn();
  let length = 0;
  while (length < least) {
    if (decodeInsn(bytes, length, insn, 32) === null || !MOVABLE.has(insn.class)) {
      throw new BpfError('EOPNOTSUPP', `entering the guest's ${name}`, {
        offset: length,
        value: `0x${(bytes[length] ?? 0).toString(16)}`,
        remedy: 'the instruction there cannot be moved',
      });
    }
    length += insn.length;
  }
  return bytes.slice(0, length);
}
