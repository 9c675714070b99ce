import type { AccessRegion } from '../access-region.js';
import type { BpfMap } from '../map/bpf-map.js';
import { isMapOfMaps, type MapOfMaps } from '../map/map-of-maps.js';

/** What a program may reach through its maps: their values, and those of the maps that are in its maps of maps. */
export class MapRegions {
  readonly #own: readonly AccessRegion[];
  readonly #outer: readonly MapOfMaps[];
  /** The inner map in which something was found last, as long as it is in a map. */
  #last: BpfMap | undefined;

  constructor(maps: readonly BpfMap[]) {
    this.#own = maps.flatMap((map) => map.regions);
    this.#outer = maps.filter(isMapOfMaps);
  }

  /** The region with these bytes. */
  find(at: number, size: number, write: boolean): AccessRegion | undefined {
    for (const region of this.#own) if (holds(region, at, size, write)) return region;
    return this.#outer.length === 0 ? undefined : this.#findInner(at, size, write);
  }

  #findInner(at: number, size: number, write: boolean): AccessRegion | undefined {
    const last = this.#last;
    if (last !== undefined && this.#outer.some((map) => map.innerMaps.has(last))) {
      const region = last.regions.find((each) => holds(each, at, size, write));
      if (region !== undefined) return region;
    }
    for (const outer of this.#outer) {
      for (const map of outer.innerMaps) {
        const region = map.regions.find((each) => holds(each, at, size, write));
        if (region === undefined) continue;
        this.#last = map;
        return region;
      }
    }
    return undefined;
  }
}

export function holds(region: AccessRegion, at: number, size: number, write: boolean): boolean {
  if (at < region.start || at + size > region.end || (write && !region.writable)) return false;
  return region.stride === 0 || ((at - region.start) % region.stride) + size <= region.size;
}
