import { BpfError } from '../../base/index.js';

/**
 * The user's context as a structure of `size` bytes: shorter ones are zero-extended, longer ones must be zero
 * beyond it (E2BIG otherwise), as bpf_check_uarg_tail_zero() has it.
 */
export function contextBytes(given: Uint8Array | undefined, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  if (given === undefined) return bytes;
  const extra = given.subarray(size).findIndex((byte) => byte !== 0);
  if (extra >= 0) {
    throw new BpfError('E2BIG', 'test run context has non-zero bytes after its structure', {
      offset: size + extra,
      value: given[size + extra],
      remedy: `the structure has ${size} bytes`,
    });
  }
  bytes.set(given.subarray(0, size));
  return bytes;
}

/** Refuses a context that sets a field the test run does not take: EINVAL. */
export function requireZeroOutside(bytes: Uint8Array, settable: readonly (readonly [number, number])[]): void {
  const at = bytes.findIndex((byte, i) => byte !== 0 && !settable.some(([start, end]) => i >= start && i < end));
  if (at < 0) return;
  throw new BpfError('EINVAL', 'test run context sets a field that a test run cannot set', {
    offset: at,
    value: bytes[at],
    remedy: 'leave it 0',
  });
}
