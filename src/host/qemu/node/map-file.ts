import { createRequire } from 'node:module';

/** The parts of koffi that mapping a file takes; an optional peer dependency. */
interface Koffi {
  load(path: string): { func(declaration: string): (...args: unknown[]) => unknown };
  view(pointer: unknown, length: number): ArrayBuffer;
  address(pointer: unknown): bigint;
}

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * Maps the first `size` bytes of an open file, shared with all who map it, for the life of the process. Null where that
 * cannot be had: koffi is not installed, or the system is no Linux with glibc or musl.
 */
export function mapSharedFile(fd: number, size: number): ArrayBuffer | null {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const mmap = koffi
      .load('libc.so.6')
      .func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, long offset)');
    const pointer = mmap(null, size, PROT_READ_WRITE, MAP_SHARED, fd, 0);
    return pointer === null || koffi.address(pointer) === MAP_FAILED ? null : koffi.view(pointer, size);
  } catch {
    return null;
  }
}
