import { hi32, lo32 } from '../../../base/index.js';
import { type Filler, value } from './event-fields.js';
import type { EventParts } from './event-parts.js';
import { readMember } from './struct-reader.js';

const NO_FRAME = { lo: -1, hi: -1 };

/** The frame number of the page that argument `index` points to; all ones for none. */
export function pageFrame({ layout }: EventParts, index: number): Filler {
  const symbol = layout.address('mem_map');
  const map = { lo: lo32(symbol), hi: hi32(symbol) };
  const size = layout.size('page');
  return value((args, memory) => {
    const [lo, hi] = [args[2 * index], args[2 * index + 1]];
    if (lo === 0 && hi === 0) return NO_FRAME;
    const first = readMember(memory, map, 0, 8);
    return { lo: ((lo - first.lo) >>> 0) / size, hi: 0 };
  });
}
