import { Errno } from '../../base/index.js';
import type { HelperArg } from '../helper/helper.js';
import type { BpfRunCtx } from '../run-context.js';
import { KernelString } from './kernel-string.js';
import { type Kfunc, kfunc } from './kfunc.js';

/** XATTR_SIZE_MAX: so far strings are looked at. */
const MAX_LENGTH = 65_536;
const THREE: readonly HelperArg[] = ['anything', 'anything', 'anything'];
type Search = (a: KernelString, b: KernelString, count: number) => number;

/** What `impl`s below end with, from deep within: a byte that cannot be read. */
const FAULT = -Errno.EFAULT;

/** Strings in memory of the kernel or the program, compared and searched (kernel/bpf/helpers.c). Positions, or -errno. */
export const stringKfuncs: readonly Kfunc[] = [
  ofTwo('int bpf_strcmp(const char *s1__ign, const char *s2__ign)', (a, b) => compare(a, b, (byte) => byte)),
  ofTwo('int bpf_strcasecmp(const char *s1__ign, const char *s2__ign)', (a, b) => compare(a, b, lowerCase)),
  ofOne('int bpf_strlen(const char *s__ign)', [], (s) => length(s, MAX_LENGTH)),
  ofOne('int bpf_strnlen(const char *s__ign, size_t count)', ['count'], (s, count) => length(s, count)),
  ofOne('int bpf_strchr(const char *s__ign, char c)', ['char'], (s, c) => find(s, MAX_LENGTH, c)),
  ofOne('int bpf_strnchr(const char *s__ign, size_t count, char c)', ['count', 'char'], find),
  ofOne('int bpf_strchrnul(const char *s__ign, char c)', ['char'], findOrEnd),
  ofOne('int bpf_strrchr(const char *s__ign, int c)', ['char'], findLast),
  ofTwo('int bpf_strspn(const char *s__ign, const char *accept__ign)', (s, set) => span(s, set, true)),
  ofTwo('int bpf_strcspn(const char *s__ign, const char *reject__ign)', (s, set) => span(s, set, false)),
  ofTwo('int bpf_strstr(const char *s1__ign, const char *s2__ign)', (s, part) => search(s, part, MAX_LENGTH)),
  ofTwo('int bpf_strnstr(const char *s1__ign, const char *s2__ign, size_t len)', search),
];

function ofTwo(prototype: string, answer: Search): Kfunc {
  const args = THREE.slice(0, prototype.split(',').length);
  return kfunc({
    prototype,
    flags: [],
    args,
    ret: 'integer',
    impl: (run, aLo, aHi, bLo, bHi, lo, hi) => {
      const [a, b] = [new KernelString(run, aLo, aHi), new KernelString(run, bLo, bHi)];
      return a.isAllowed && b.isAllowed ? answer(a, b, countOf(lo, hi)) : -Errno.ERANGE;
    },
  });
}

function ofOne(
  prototype: string,
  rest: readonly ('count' | 'char')[],
  answer: (s: KernelString, ...rest: number[]) => number,
): Kfunc {
  const read = (which: 'count' | 'char' | undefined, lo: number, hi: number): number =>
    which === 'count' ? countOf(lo, hi) : lo & 0xff;
  return kfunc({
    prototype,
    flags: [],
    args: THREE.slice(0, 1 + rest.length),
    ret: 'integer',
    impl: (run: BpfRunCtx, sLo, sHi, aLo, aHi, bLo, bHi) => {
      const s = new KernelString(run, sLo, sHi);
      return s.isAllowed ? answer(s, read(rest[0], aLo, aHi), read(rest[1], bLo, bHi)) : -Errno.ERANGE;
    },
  });
}

/** A size_t; beyond the end of all strings one is as good as another. */
function countOf(lo: number, hi: number): number {
  return hi === 0 ? lo >>> 0 : 2 ** 32;
}

function lowerCase(byte: number): number {
  const isUpper = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0xc0 && byte <= 0xde && byte !== 0xd7);
  return isUpper ? byte + 0x20 : byte;
}

function compare(a: KernelString, b: KernelString, fold: (byte: number) => number): number {
  for (let i = 0; i < MAX_LENGTH; i++) {
    const [x, y] = [a.at(i), b.at(i)];
    if (x < 0 || y < 0) return FAULT;
    if (fold(x) !== fold(y)) return fold(x) < fold(y) ? -1 : 1;
    if (x === 0) return 0;
  }
  return -Errno.E2BIG;
}

function length(s: KernelString, count: number): number {
  for (let i = 0; i < Math.min(count, MAX_LENGTH); i++) {
    const byte = s.at(i);
    if (byte <= 0) return byte < 0 ? FAULT : i;
  }
  return count >= MAX_LENGTH ? -Errno.E2BIG : count;
}

function find(s: KernelString, count: number, wanted: number): number {
  for (let i = 0; i < Math.min(count, MAX_LENGTH); i++) {
    const byte = s.at(i);
    if (byte === wanted) return i;
    if (byte <= 0) return byte < 0 ? FAULT : -Errno.ENOENT;
  }
  return count >= MAX_LENGTH ? -Errno.E2BIG : -Errno.ENOENT;
}

function findOrEnd(s: KernelString, wanted: number): number {
  for (let i = 0; i < MAX_LENGTH; i++) {
    const byte = s.at(i);
    if (byte < 0) return FAULT;
    if (byte === wanted || byte === 0) return i;
  }
  return -Errno.E2BIG;
}

function findLast(s: KernelString, wanted: number): number {
  let last: number = -Errno.ENOENT;
  for (let i = 0; i < MAX_LENGTH; i++) {
    const byte = s.at(i);
    if (byte === wanted) last = i;
    if (byte <= 0) return byte < 0 ? FAULT : last;
  }
  return -Errno.E2BIG;
}

/** How many bytes at the start are in `set` (or are not, where `inside` is false). */
function span(s: KernelString, set: KernelString, inside: boolean): number {
  for (let i = 0; i < MAX_LENGTH; i++) {
    const byte = s.at(i);
    if (byte <= 0) return byte < 0 ? FAULT : i;
    const place = find(set, MAX_LENGTH, byte);
    if (place < 0 && place !== -Errno.ENOENT) return place;
    if (place >= 0 !== inside) return i;
  }
  return -Errno.E2BIG;
}

/** The first place of `part` in the first `count` bytes of `s`. */
function search(s: KernelString, part: KernelString, count: number): number {
  for (let i = 0; i < MAX_LENGTH; i++) {
    const found = matchAt(s, part, i, count);
    if (found !== 'other') return found;
  }
  return -Errno.E2BIG;
}

function matchAt(s: KernelString, part: KernelString, start: number, count: number): number | 'other' {
  for (let j = 0; start + j <= count && j < MAX_LENGTH; j++) {
    const wanted = part.at(j);
    if (wanted <= 0) return wanted < 0 ? FAULT : start;
    if (start + j === count) return -Errno.ENOENT;
    const byte = s.at(start + j);
    if (byte < 0) return FAULT;
    if (byte !== wanted) return byte === 0 ? -Errno.ENOENT : 'other';
  }
  return -Errno.E2BIG;
}
