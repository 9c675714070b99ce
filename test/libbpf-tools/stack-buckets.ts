import { jhash } from '../../src/runtime/map/hash-functions.js';

/** Entries of the stack maps: room for all stacks, and few that fall into one bucket. */
const BUCKETS = 16_384;

/** How the tools' stack maps are sized. */
export const STACK_MAP = { stackmap: { maxEntries: BUCKETS, valueSize: 8 * 127 } } as const;

/** What bpf_get_stackid() makes of stacks, in the order in which programs ask: of two with one bucket the second is refused. */
export class StackBuckets {
  readonly #kept = new Map<number, string>();

  /** The stack, or the error in its place. */
  keep(addresses: readonly bigint[]): string {
    if (addresses.length === 0) return 'errno 14';
    const bytes = new Uint8Array(new BigUint64Array(addresses).buffer);
    const bucket = jhash(bytes, 0, bytes.length, 0) & (BUCKETS - 1);
    const text = addresses.join(' ');
    const kept = this.#kept.get(bucket) ?? text;
    this.#kept.set(bucket, kept);
    return kept === text ? text : 'errno 17';
  }
}
