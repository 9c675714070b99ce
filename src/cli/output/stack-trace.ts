import type { BpfMap } from '../../runtime/index.js';

/** Turns an address into `symbol+0x12`; undefined where nothing is known of it. */
export type Symbolize = (address: bigint, isReturn: boolean) => string | undefined;

/** The frames stored under `id` in a stack_trace map, innermost first; undefined for a negative or absent id. */
export function stackFrames(map: BpfMap, id: number): bigint[] | undefined {
  if (id < 0) return undefined;
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, id, true);
  const bytes = map.sysLookup(key);
  if (typeof bytes === 'number') return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: bigint[] = [];
  for (let offset = 0; offset + 8 <= bytes.byteLength; offset += 8) {
    const address = view.getBigUint64(offset, true);
    if (address === 0n) break;
    frames.push(address);
  }
  return frames;
}

/**
 * One text a frame. All but the innermost frame are return addresses: they are named by the call before them, which
 * may be the last instruction of its function.
 */
export function nameFrames(frames: readonly bigint[], symbolize: Symbolize): string[] {
  return frames.map((address, depth) => symbolize(address, depth > 0) ?? `0x${address.toString(16)}`);
}
