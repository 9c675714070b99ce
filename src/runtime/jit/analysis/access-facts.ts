import { contextLayout } from '../../context-layout.js';
import type { Executable } from '../../executable.js';
import { STACK_FRAME } from '../../interp/access-guard.js';
import type { BpfMap } from '../../map/bpf-map.js';
import { hasValues } from './call-effects.js';
import { Kind, type Value } from './value.js';

/** How an access is checked, and where its bytes are. */
export type AccessWay =
  /** In the frame for sure, `at` bytes above its lowest byte. */
  | { readonly kind: 'frame'; readonly at: number }
  /**
   * Inside for sure, wherever the pointer points. Of a packet that is so if the pointers to its start and end, when
   * they were loaded, pointed into what a run may read (and write) as its packet.
   */
  | { readonly kind: 'proved'; readonly packet?: 'read' | 'write' }
  /** Compared with the frame first. */
  | { readonly kind: 'nearFrame' }
  /** Compared with a fixed piece of memory first. */
  | { readonly kind: 'nearRegion'; readonly start: number; readonly size: number }
  /** Compared with the packet first. */
  | { readonly kind: 'packet' }
  /** Compared with the region last found. */
  | { readonly kind: 'window' };

const PROVED: AccessWay = { kind: 'proved' };
const PROVED_PACKET_READ: AccessWay = { kind: 'proved', packet: 'read' };
const PROVED_PACKET_WRITE: AccessWay = { kind: 'proved', packet: 'write' };
const NEAR_FRAME: AccessWay = { kind: 'nearFrame' };
const PACKET: AccessWay = { kind: 'packet' };
const WINDOW: AccessWay = { kind: 'window' };
/** No run promises a context of more bytes than that. */
const LARGEST_CONTEXT = 0xffff;

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

  /** `packetBytes`: how many bytes the packet surely has. */
  judge(base: Value, off: number, size: number, write: boolean, packetBytes: number): AccessWay {
    const from = base.lo + off;
    const to = base.hi + off + size;
    switch (base.kind) {
      case Kind.frame:
        if (from < -STACK_FRAME || to > 0) return isConstantPlace(base) ? WINDOW : NEAR_FRAME;
        return isConstantPlace(base) ? { kind: 'frame', at: STACK_FRAME + from } : PROVED;
      case Kind.context:
        return this.#inContext(from, to, write) ? PROVED : WINDOW;
      case Kind.value:
        return inValue(base, from, to, write);
      case Kind.record:
        return from >= 0 && to <= base.extent ? PROVED : WINDOW;
      case Kind.packet:
        if (from < 0 || (off + size > base.extent && to > packetBytes)) return PACKET;
        return write ? PROVED_PACKET_WRITE : PROVED_PACKET_READ;
      default:
        return WINDOW;
    }
  }

  #inContext(from: number, to: number, write: boolean): boolean {
    if (!this.#trustContext || from < 0) return false;
    const { parts } = contextLayout(this.#executable.type);
    const inPart = parts.some((part) => from >= part.start && to <= part.end && (part.writable || !write));
    if (!inPart && (write || parts.length > 0 || to > LARGEST_CONTEXT)) return false;
    this.contextNeed = Math.max(this.contextNeed, to);
    return true;
  }
}

function isConstantPlace({ lo, hi }: Value): boolean {
  return lo === hi;
}

function inValue({ map, lo, hi }: Value, from: number, to: number, write: boolean): AccessWay {
  if (map === null) return WINDOW;
  const inside = hasValues(map) && from >= 0 && to <= map.valueSize && (!write || map.regions[0].writable);
  if (inside) return PROVED;
  return lo === hi ? WINDOW : (nearRegion(map, write) ?? WINDOW);
}

/** The one value of a map of one entry. Larger maps have bounds between their values. */
function nearRegion(map: BpfMap, write: boolean): AccessWay | undefined {
  const [region] = map.regions;
  if (map.maxEntries !== 1 || !hasValues(map) || region === undefined || region.size < 8) return undefined;
  if (region.end - region.start > region.stride || (write && !region.writable)) return undefined;
  return { kind: 'nearRegion', start: region.start, size: region.size };
}
