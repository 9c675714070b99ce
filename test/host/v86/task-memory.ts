import type { GuestMemory } from '../../../src/host/guest/index.js';
import type { ImageWords } from '../../../src/host/v86/task-layout.js';

/** Offsets of a kernel that is made up for tests. */
export interface MadeUpKernel {
  readonly realParent: number;
  /** Between tgid and real_parent: 4 with a canary, 0 without. */
  readonly canary: 0 | 4;
  readonly comm: number;
  /** Between cred and comm: 4 with a cached key, 0 without. */
  readonly key: 0 | 4;
  readonly name: string;
}

export const START = 0xc100_0000;
export const PER_CPU = 0x0080_0000;
export const CURRENT_TASK = START + 0x300 - PER_CPU;
const INIT_TASK = START + 0x4000;
const FIRST = START + 0x8000;
const SECOND = START + 0xc000;
const CRED = START + 0x100;
const SIZE = 0x1_0000;

/** Memory of a kernel with three tasks: the idle one, pid 1 and pid 2, of which pid 1 is current. */
export function kernelMemory(kernel: MadeUpKernel): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  const view = new DataView(bytes.buffer);
  const put = (address: number, ...words: number[]): void => {
    for (const [i, word] of words.entries()) view.setUint32(address - START + 4 * i, word, true);
  };
  const { realParent: at, canary, comm, key, name } = kernel;
  const children = at + 8;
  const sibling = at + 16;
  for (const [pid, task] of [INIT_TASK, FIRST, SECOND].entries()) {
    put(task + at - canary - 8, pid, pid);
    put(task + at, INIT_TASK, INIT_TASK, task + children, task + children, task + sibling, task + sibling, task);
    put(task + comm - key - 8, CRED, CRED);
    bytes.set(new TextEncoder().encode(pid === 0 ? name : `task-${pid}`), task + comm - START);
  }
  put(INIT_TASK + children, FIRST + sibling, SECOND + sibling);
  put(FIRST + sibling, SECOND + sibling, INIT_TASK + children);
  put(SECOND + sibling, INIT_TASK + children, FIRST + sibling);
  put(CRED, 3, 0, 0);
  put(CURRENT_TASK + PER_CPU, FIRST);
  return bytes;
}

/** That memory as the finder sees it. */
export function imageOf(bytes: Uint8Array): ImageWords {
  return { start: START, words: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) };
}

/** Guest memory that is these bytes and nothing else. */
export function memoryOf(bytes: Uint8Array): GuestMemory {
  const readKernel = (lo: number, _hi: number, dst: Uint8Array, offset: number, length: number): boolean => {
    const at = (lo >>> 0) - START;
    if (at < 0 || at + length > bytes.length) return false;
    dst.set(bytes.subarray(at, at + length), offset);
    return true;
  };
  return { readKernel } as unknown as GuestMemory;
}

/** Text that reads `current_task` through fs, more often than another per-CPU variable; as Debian's compiler does. */
export function textOf(current: number): Uint8Array {
  const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
  const load = (address: number): number[] => [0x64, 0xa1, ...word(address)];
  const other = (address: number): number[] => [0x64, 0x8b, 0x1d, ...word(address)];
  return Uint8Array.of(...load(current), 0x90, ...load(current + 8), ...other(current), ...other(current), 0xc3);
}
