import { Errno } from '../../base/index.js';
import type { Host } from '../../host/index.js';
import { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import type { BpfRunCtx } from '../run-context.js';

const PAGE = 4096;
const CHUNK = 64;
const TWO_32 = 0x1_0000_0000;
const chunk = new Uint8Array(CHUNK);

/** Which half of the host's memory an address is meant to be in. */
export type AddressSpace = 'kernel' | 'user';

/**
 * Copies `size` bytes at an address to `target[dst]`, as copy_from_kernel_nofault() and
 * copy_from_user_nofault(). 0, or on a fault -EFAULT with the destination zeroed; -ERANGE where a kernel
 * read is asked of an address that is not the kernel's. Pointers into BpfMemory are kernel addresses.
 */
export function readHost(
  run: BpfRunCtx,
  space: AddressSpace,
  target: Uint8Array,
  dst: number,
  size: number,
  lo: number,
  hi: number,
): number {
  const error = checkAddress(run.runtime.host, space, lo, hi) || copy(run, space, target, dst, size, lo, hi);
  if (error !== 0) target.fill(0, dst, dst + size);
  return error;
}

/** `readHost` from `offset` bytes behind a kernel address to the start of `target`. */
export function readKernelBehind(
  run: BpfRunCtx,
  lo: number,
  hi: number,
  offset: number,
  target: Uint8Array,
  size: number,
): number {
  const sum = (lo >>> 0) + offset;
  return readHost(run, 'kernel', target, 0, size, sum | 0, (hi + Math.floor(sum / TWO_32)) | 0);
}

/**
 * Copies a NUL-terminated string of at most `size` bytes, terminator included, as
 * strncpy_from_kernel_nofault() and strncpy_from_user_nofault(): a longer one is cut and terminated. The
 * number of bytes written, or on a fault -errno with the destination zeroed. Bytes behind the terminator
 * stay as they are.
 */
export function readHostString(
  run: BpfRunCtx,
  space: AddressSpace,
  target: Uint8Array,
  dst: number,
  size: number,
  lo: number,
  hi: number,
): number {
  if (size <= 0) return 0;
  const result = checkAddress(run.runtime.host, space, lo, hi) || copyString(run, space, target, dst, size, lo, hi);
  if (result < 0) target.fill(0, dst, dst + size);
  return result;
}

function copyString(
  run: BpfRunCtx,
  space: AddressSpace,
  target: Uint8Array,
  dst: number,
  size: number,
  lo: number,
  hi: number,
): number {
  let done = 0;
  while (done < size) {
    const sum = (lo >>> 0) + done;
    const at = sum | 0;
    const atHi = sum > 0xffff_ffff ? (hi + 1) | 0 : hi;
    const length = readChunk(run, space, Math.min(CHUNK, size - done, PAGE - (at & (PAGE - 1))), at, atHi);
    if (length === 0) return -Errno.EFAULT;
    const nul = chunk.subarray(0, length).indexOf(0);
    const used = nul < 0 ? length : nul + 1;
    target.set(chunk.subarray(0, used), dst + done);
    done += used;
    if (nul >= 0) return done;
  }
  target[dst + size - 1] = 0;
  return size;
}

/** Up to `length` bytes to `chunk`; where not all can be had, the first one alone. 0: a fault. */
function readChunk(run: BpfRunCtx, space: AddressSpace, length: number, lo: number, hi: number): number {
  if (copy(run, space, chunk, 0, length, lo, hi) === 0) return length;
  return length > 1 && copy(run, space, chunk, 0, 1, lo, hi) === 0 ? 1 : 0;
}

function copy(
  run: BpfRunCtx,
  space: AddressSpace,
  target: Uint8Array,
  dst: number,
  size: number,
  lo: number,
  hi: number,
): number {
  if (size === 0) return 0;
  const { memory, host } = run.runtime;
  if (space === 'user') {
    return hi !== BPF_MEMORY_HI && host.memory.readUser(lo, hi, target, dst, size) ? 0 : -Errno.EFAULT;
  }
  if (hi === BPF_MEMORY_HI) {
    const from = lo >>> 0;
    if (from < PAGE || from + size > memory.u8.length) return -Errno.EFAULT;
    target.set(memory.u8.subarray(from, from + size), dst);
    return 0;
  }
  return host.memory.readKernel(lo, hi, target, dst, size) ? 0 : -Errno.EFAULT;
}

/** x86's vsyscall page, mapped in the kernel half but not the kernel's. */
const VSYSCALL_HI = 0xffff_ffff | 0;
const VSYSCALL_LO = 0xff60_0000 | 0;

/** copy_from_kernel_nofault_allowed(): no user addresses, on x86 no non-canonical ones either. */
function checkAddress(host: Host, space: AddressSpace, lo: number, hi: number): number {
  if (space === 'user' || hi === BPF_MEMORY_HI) return 0;
  if (host.memory.isUser(lo, hi)) return -Errno.ERANGE;
  if (host.arch.name !== 'x86_64') return 0;
  const canonical = hi >> 15 === -1;
  const vsyscall = hi === VSYSCALL_HI && (lo & ~(PAGE - 1)) === VSYSCALL_LO;
  return canonical && !vsyscall ? 0 : -Errno.ERANGE;
}
