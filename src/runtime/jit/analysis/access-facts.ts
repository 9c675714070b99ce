import { contextLayout } from '../../context-layout.js';
import type { Executable } from '../../executable.js';
import { STACK_FRAME } from '../../interp/access-guard.js';
import type { BpfMap } from '../../map/bpf-map.js';
import { hasValues } from './find-pointers.js';
import type { Value } from './value.js';

/** How an access is checked, and where its bytes are. */
export type AccessWay =
  /** In the frame for sure, `at` bytes above its lowest byte. */
  | { readonly kind: 'frame'; readonly at: number }
  /** Inside for sure, wherever the pointer points. */
  | { readonly kind: 'proved' }
  /** Compared with the frame first. */
  | { readonly kind: 'nearFrame' }
  /** Compared with a fixed piece of memory first. */
  | { readonly kind: 'nearRegion'; readonly start: number; readonly size: number }
  /** Compared with the packet first. */
  | { readonly kind: 'packet' }
  /** Compared with the region last found. */
  | { readonly kind: 'window' };

const PROVED: AccessWay = { kind: 'proved' };
const WINDOW: AccessWay = { kind: 'window' };

/** Decides on accesses of one program; remembers how much of the context it relied on. */
export class AccessJudge {
  /** Bytes that the context must have for the answers so far to hold. */
  contextNeed = 0;
  readonly #executable: Executable;
  readonly #trustContext: boolean;

  constructor(executable: Executable, trustContext: boolean) {
    this.#executable = executable;
    this.#trustContext = trustContext;
  }

  judge(base: Value, off: number, size: number, write: boolean): AccessWay {
    switch (base.kind) {
      case 'frame': {
        const at = STACK_FRAME + base.off + off;
        return at >= 0 && at + size <= STACK_FRAME ? { kind: 'frame', at } : WINDOW;
      }
      case 'nearFrame':
        return { kind: 'nearFrame' };
      case 'context':
        return this.#inContext(base.off + off, size, write) ? PROVED : WINDOW;
      case 'value':
        return isInValue(base.map, base.off + off, size, write) ? PROVED : WINDOW;
      case 'record':
        return base.off + off >= 0 && base.off + off + size <= base.size ? PROVED : WINDOW;
      case 'packet':
        return { kind: 'packet' };
      case 'nearValue':
        return nearRegion(base.map, write) ?? WINDOW;
      default:
        return WINDOW;
    }
  }

  #inContext(at: number, size: number, write: boolean): boolean {
    if (!this.#trustContext || at < 0) return false;
    const { parts } = contextLayout(this.#executable.type);
    const inPart = parts.some((part) => at >= part.start && at + size <= part.end && (part.writable || !write));
    if (!inPart && (write || parts.length > 0)) return false;
    this.contextNeed = Math.max(this.contextNeed, at + size);
    return true;
  }
}

function isInValue(map: BpfMap, at: number, size: number, write: boolean): boolean {
  return hasValues(map) && at >= 0 && at + size <= map.valueSize && (!write || map.regions[0].writable);
}

/** The one value of a map of one entry. Larger maps have bounds between their values. */
function nearRegion(map: BpfMap, write: boolean): AccessWay | undefined {
  const [region] = map.regions;
  if (map.maxEntries !== 1 || !hasValues(map) || region === undefined || region.size < 8) return undefined;
  if (region.end - region.start > region.stride || (write && !region.writable)) return undefined;
  return { kind: 'nearRegion', start: region.start, size: region.size };
}
