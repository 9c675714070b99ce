import { BpfMapFlag, BpfUpdateFlag, Errno } from '../../base/index.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import type { MapSpec } from './bpf-map.js';
import { jhash } from './hash-functions.js';
import { KeylessMap } from './keyless-map.js';
import type { MapContext } from './map-base.js';
import { MapHeader, roundUpPowerOfTwo } from './map-layout.js';

/** Hash functions where map_extra names none. */
const DEFAULT_HASHES = 5;
/** What the kernel falls back to where the number of bits would not fit its arithmetic. */
const MOST_BITS = 2 ** 32;

/**
 * BPF_MAP_TYPE_BLOOM_FILTER (kernel/bpf/bloom_filter.c): a set of values that answers "not in it" for sure and "in it" perhaps.
 * With BPF_F_ZERO_SEED its bits, hence its false positives, are Linux's.
 */
export class BloomFilterMap extends KeylessMap {
  protected readonly needsKey = -Errno.EOPNOTSUPP;
  readonly #bits: BpfOffset;
  readonly #mask: number;
  readonly #hashes: number;
  readonly #seed: number;

  constructor(context: MapContext, spec: MapSpec) {
    super(context, spec);
    this.#hashes = Number(spec.mapExtra ?? 0n) || DEFAULT_HASHES;
    const count = bitCount(spec.maxEntries, this.#hashes);
    this.#mask = (count - 1) >>> 0;
    this.#seed = (spec.flags & BpfMapFlag.BPF_F_ZERO_SEED) !== 0 ? 0 : Math.imul(context.id, 0x9e3779b1) >>> 0;
    this.#bits = this.allocate(count / 8, 8);
    this.setHeader(MapHeader.elements, this.#bits);
    this.setHeader(MapHeader.mask, this.#mask);
    this.setHeader(MapHeader.seed, this.#seed);
  }

  /** 0 where the value that `value` points to may have been pushed, -ENOENT where it has not. */
  override peekElem(value: BpfOffset): number {
    return this.#has(this.memory.u8, value) ? 0 : -Errno.ENOENT;
  }

  override popElem(_value: BpfOffset): number {
    return -Errno.EOPNOTSUPP;
  }

  protected push(bytes: Uint8Array, at: number, flags: number): number {
    if (flags !== BpfUpdateFlag.BPF_ANY) return -Errno.EINVAL;
    for (let i = 0; i < this.#hashes; i++) {
      const bit = this.#bit(bytes, at, i);
      this.memory.u8[this.#bits + (bit >>> 3)] |= 1 << (bit & 7);
    }
    return 0;
  }

  protected copyValue(_key: BpfOffset, asked: Uint8Array = new Uint8Array(this.valueSize)): Uint8Array | number {
    return this.#has(asked, 0) ? asked.slice() : -Errno.ENOENT;
  }

  #has(bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < this.#hashes; i++) {
      const bit = this.#bit(bytes, at, i);
      if ((this.memory.u8[this.#bits + (bit >>> 3)] & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }

  #bit(bytes: Uint8Array, at: number, index: number): number {
    return (jhash(bytes, at, this.valueSize, this.#seed + index) & this.#mask) >>> 0;
  }
}

/** entries * hashes / ln 2, the latter as 5 / 7, up to the next power of two. */
function bitCount(entries: number, hashes: number): number {
  const needed = Math.floor((entries * hashes) / 5) * 7;
  if (entries * hashes >= 2 ** 32 || needed > 2 ** 31) return MOST_BITS;
  return Math.max(64, roundUpPowerOfTwo(needed));
}
