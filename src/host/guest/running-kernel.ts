import { BpfError } from '../../base/index.js';
import type { Btf } from '../../btf/index.js';
import type { SymbolTable } from '../index.js';
import type { GuestRam } from './guest-ram.js';
import { findBtf, type FoundBtf } from './image/find-btf.js';
import { findKconfig } from './image/find-kconfig.js';
import { bannerVersion, findBanner } from './image/kernel-banner.js';
import type { KernelImage } from './image/kernel-image.js';
import type { Unpackers } from './image/unpack.js';
import { findKallsyms, type FoundKallsyms, kallsymsTable } from './kallsyms/find-kallsyms.js';

/** A kernel as it was found in a guest's memory. */
export interface RunningKernel {
  /** Its symbols where they are now. */
  readonly symbols: SymbolTable;
  readonly btf: Btf | null;
  /** Its LINUX_VERSION_CODE, by what it says of itself; undefined where it does not. */
  readonly kernelVersion: number | undefined;
  /** The configuration that it carries; undefined where it carries none (CONFIG_IKCONFIG), or nobody unpacks it. */
  readonly kconfig: string | undefined;
  /** Physical address of the first byte of its image; undefined where it was found without one. */
  readonly physicalBase: number | undefined;
  /**
   * How far its virtual addresses are from the image's: what KASLR chose (on arm64 all of the address, since the image
   * does not say any). Undefined without an image.
   */
  readonly slide: bigint | undefined;
}

const PAGE = 4096;
/** Compared before a place is taken for the kernel's: all its tokens, and some of the names around them. */
const COMPARED = 4096;
/** The tables of one kernel and its types lie closer together than this. */
const WINDOW = 96 << 20;
const STEP = 48 << 20;

/**
 * Finds the kernel that runs in `ram` by the symbol tables it keeps of itself: those of `image` if its image is at hand,
 * which takes some milliseconds, else any, with an unpacker of gzip for its configuration. ENOENT where there is none, or it has not yet relocated itself.
 */
export function findRunningKernel(ram: GuestRam, image: KernelImage): RunningKernel;
export function findRunningKernel(ram: GuestRam, pointerSize: 4 | 8, unpackers?: Unpackers): RunningKernel;
export function findRunningKernel(ram: GuestRam, what: KernelImage | 4 | 8, unpackers: Unpackers = {}): RunningKernel {
  const found = typeof what === 'number' ? searchFor(ram, what, unpackers) : locate(ram, what);
  if (found !== undefined) return found;
  throw new BpfError('ENOENT', "no running kernel in the guest's memory", {
    remedy:
      typeof what === 'number'
        ? 'let it boot on; does it have CONFIG_KALLSYMS?'
        : 'let it boot on; is it this image that it was booted from?',
  });
}

/** Kernels begin at page boundaries: the places where the image's tokens would then be are few. */
function locate(ram: GuestRam, image: KernelImage): RunningKernel | undefined {
  const { kallsyms, bytes } = image;
  const sample = bytes.subarray(kallsyms.tokensAt, kallsyms.tokensAt + COMPARED);
  const first = new DataView(sample.buffer, sample.byteOffset).getUint32(0, true);
  const there = new Uint8Array(sample.length);
  for (const { start, size } of ram.ranges) {
    for (let base = start; base + bytes.length <= start + size; base += PAGE) {
      if (ram.word(base + kallsyms.tokensAt) !== first) continue;
      if (!ram.read(base + kallsyms.tokensAt, there, 0, there.length)) continue;
      if (!sample.every((byte, i) => byte === there[i])) continue;
      const running = relocatedBase(ram, base + kallsyms.baseAt, image);
      if (running === undefined) continue;
      const slide = running - kallsyms.base;
      return {
        symbols: kallsymsTable(kallsyms, slide),
        btf: image.btf,
        kernelVersion: image.version,
        kconfig: image.kconfig ?? undefined,
        physicalBase: base,
        slide,
      };
    }
  }
  return undefined;
}

/** kallsyms_relative_base as the running kernel has it; undefined in a copy of the image that nobody relocated. */
function relocatedBase(ram: GuestRam, at: number, { pointerSize }: KernelImage): bigint | undefined {
  const low = ram.word(at);
  const high = pointerSize === 8 ? ram.word(at + 4) : 0;
  if (low < 0 || high < 0) return undefined;
  const base = (BigInt(high) << 32n) | BigInt(low);
  return base === 0n ? undefined : base;
}

/** Looks through all of RAM, a window at a time; windows overlap by more than any kernel's tables take. */
function searchFor(ram: GuestRam, pointerSize: 4 | 8, unpackers: Unpackers): RunningKernel | undefined {
  for (const { start, size } of ram.ranges) {
    for (let at = 0; at < size; at += STEP) {
      const bytes = new Uint8Array(Math.min(WINDOW, size - at));
      if (!ram.read(start + at, bytes, 0, bytes.length)) continue;
      const kallsyms = kallsymsIn(bytes, pointerSize);
      if (kallsyms === undefined || kallsyms.base === 0n) continue;
      const banner = findBanner(bytes);
      return {
        symbols: kallsymsTable(kallsyms),
        btf: (findBtf(bytes) ?? btfNear(ram, start + at + kallsyms.tokensAt))?.btf ?? null,
        kernelVersion: banner === null ? undefined : bannerVersion(banner),
        kconfig: findKconfig(bytes, unpackers) ?? undefined,
        physicalBase: undefined,
        slide: undefined,
      };
    }
  }
  return undefined;
}

/** Types whose end, or beginning, is beyond the window that the symbols were found in. */
function btfNear(ram: GuestRam, symbolsAt: number): FoundBtf | null {
  const range = ram.ranges.find(({ start, size }) => symbolsAt >= start && symbolsAt < start + size);
  if (range === undefined) return null;
  const from = Math.max(range.start, symbolsAt - STEP);
  const bytes = new Uint8Array(Math.min(range.start + range.size, symbolsAt + STEP) - from);
  return ram.read(from, bytes, 0, bytes.length) ? findBtf(bytes) : null;
}

function kallsymsIn(bytes: Uint8Array, pointerSize: 4 | 8): FoundKallsyms | undefined {
  try {
    return findKallsyms(bytes, pointerSize);
  } catch (error) {
    if (error instanceof BpfError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
