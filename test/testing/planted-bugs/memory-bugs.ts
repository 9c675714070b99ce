import { hi32, lo32 } from '../../../src/base/index.js';
import { addressOf, bugIn, type PlantedBug } from './planted-bug.js';

const PAGE = 4096;

export const memoryBugs: readonly PlantedBug[] = [
  bugIn(
    'memory',
    'a write that faults leaves its first page written',
    'memory: a faulting write changes nothing',
    (memory) => ({
      writeKernel(lo, hi, src, offset, length) {
        if (memory.writeKernel(lo, hi, src, offset, length)) return true;
        memory.writeKernel(lo, hi, src, offset, Math.min(length, PAGE - (lo & (PAGE - 1))));
        return false;
      },
    }),
  ),
  bugIn(
    'memory',
    'a read that faults clears the destination',
    'memory: a faulting read leaves the destination untouched',
    (memory) => ({
      readKernel(lo, hi, dst, offset, length) {
        if (memory.readKernel(lo, hi, dst, offset, length)) return true;
        dst.fill(0, offset, offset + length);
        return false;
      },
    }),
  ),
  bugIn('memory', 'absent memory reads as zeroes', 'memory: what is not mapped is a fault', (memory) => ({
    readKernel(lo, hi, dst, offset, length) {
      if (!memory.readKernel(lo, hi, dst, offset, length)) dst.fill(0, offset, offset + length);
      return true;
    },
  })),
  bugIn(
    'memory',
    'a read across pages goes on in the page it began in',
    'memory: writes read back, across pages too',
    (memory) => ({
      readKernel(lo, hi, dst, offset, length) {
        const room = PAGE - (lo & (PAGE - 1));
        if (length <= room || !memory.readKernel(lo, hi, dst, offset, length)) {
          return memory.readKernel(lo, hi, dst, offset, length);
        }
        return memory.readKernel(lo & -PAGE, hi, dst, offset + room, Math.min(length - room, PAGE));
      },
    }),
  ),
  bugIn(
    'memory',
    'a read ends its text with a NUL of its own',
    'memory: a read fills what was asked for and nothing around it',
    (memory) => ({
      readKernel(lo, hi, dst, offset, length) {
        const ok = memory.readKernel(lo, hi, dst, offset, length);
        if (ok && length > 0) dst[offset + length] = 0;
        return ok;
      },
    }),
  ),
  bugIn(
    'memory',
    'a write takes its bytes from the start of the source',
    'memory: a write takes its bytes from the offset given',
    (memory) => ({
      writeKernel: (lo, hi, src, _offset, length) => memory.writeKernel(lo, hi, src, 0, length),
    }),
  ),
  bugIn(
    'memory',
    'the page behind the last byte must be there too',
    'memory: up to the last byte before an absent page',
    (memory) => ({
      readKernel(lo, hi, dst, offset, length) {
        const end = addressOf(lo, hi) + BigInt(length);
        if (length > 0 && !memory.readKernel(lo32(end), hi32(end), new Uint8Array(1), 0, 1)) return false;
        return memory.readKernel(lo, hi, dst, offset, length);
      },
    }),
  ),
  bugIn(
    'memory',
    'nothing cannot be read where nothing is',
    'memory: length 0 succeeds and touches nothing',
    (memory) => ({
      readKernel: (lo, hi, dst, offset, length) =>
        (length > 0 || memory.readKernel(lo, hi, new Uint8Array(1), 0, 1)) &&
        memory.readKernel(lo, hi, dst, offset, length),
    }),
  ),
  bugIn(
    'memory',
    'what wraps around is cut off at the end',
    'memory: ranges do not wrap at the end of the address space',
    (memory) => ({
      readKernel(lo, hi, dst, offset, length) {
        const wraps = addressOf(lo, hi) + BigInt(length) > 1n << 64n;
        return wraps || memory.readKernel(lo, hi, dst, offset, length);
      },
    }),
  ),
  bugIn('memory', 'readUser reads kernel memory', 'memory: kernel and user accessors keep to their half', (memory) => ({
    readUser: (lo, hi, dst, offset, length) =>
      hi < 0 ? memory.readKernel(lo, hi, dst, offset, length) : memory.readUser(lo, hi, dst, offset, length),
  })),
  bugIn(
    'memory',
    'readKernel reads user memory',
    'memory: user memory of the current task can be read and written in a handler',
    (memory) => ({
      readKernel: (lo, hi, dst, offset, length) =>
        hi >= 0 ? memory.readUser(lo, hi, dst, offset, length) : memory.readKernel(lo, hi, dst, offset, length),
    }),
  ),
  bugIn(
    'memory',
    'user memory is never there',
    'memory: user memory of the current task can be read and written in a handler',
    () => ({ readUser: () => false }),
  ),
  bugIn('memory', 'the first address behind user memory is one too', 'memory: isUser is exact at the boundary', () => ({
    isUser: (lo, hi) => hi >= 0 && (hi < 0x8000 || (hi === 0x8000 && lo === 0)),
  })),
];
