import { utf8Text } from '../../../base/index.js';
import { indexOfBytes } from './index-of-bytes.js';

const START = new TextEncoder().encode('Linux version ');
/** No banner is longer: names of releases, builders and compilers are short. */
const LONGEST = 512;
/** RELEASE (BUILDER) (COMPILER) #BUILD ...: what is in memory otherwise with such a beginning is a format, or is cut off. */
const SHAPE = /^Linux version \d+\.\d+\S* \(.*\) #\d+[^\n]*/;

/**
 * What a kernel says of itself first when it boots (linux_banner), found in its image or in a copy of its memory; null where
 * there is none.
 */
export function findBanner(bytes: Uint8Array): string | null {
  for (let at = indexOfBytes(bytes, START, 0); at >= 0; at = indexOfBytes(bytes, START, at + 1)) {
    const line = SHAPE.exec(utf8Text(bytes.subarray(at, at + LONGEST)).split('\0', 1)[0])?.[0];
    if (line !== undefined) return line;
  }
  return null;
}

/**
 * LINUX_VERSION_CODE of the kernel with that banner, as libbpf answers LINUX_KERNEL_VERSION: Debian and Ubuntu name what they
 * built from behind the build's number, since their releases do not count patch levels. Undefined where the release has
 * not three numbers.
 */
export function bannerVersion(banner: string): number | undefined {
  const numbers =
    / \(Ubuntu \S+ (\d+)\.(\d+)\.(\d+)\)/.exec(banner) ??
    / #\d.*Debian (\d+)\.(\d+)\.(\d+)/.exec(banner) ??
    /^Linux version (\d+)\.(\d+)\.(\d+)/.exec(banner);
  if (numbers === null) return undefined;
  const [major, minor, patch] = numbers.slice(1).map(Number);
  return ((major << 16) | (minor << 8)) + Math.min(patch, 255);
}
