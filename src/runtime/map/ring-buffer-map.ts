import { Errno } from '../../base/index.js';
import type { AccessRegion } from '../access-region.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import { RingBufferArea } from '../ring/ring-buffer-area.js';
import { RingLayout } from '../ring/ring-buffer-layout.js';
import type { MapSpec } from './bpf-map.js';
import { MapBase, type MapContext } from './map-base.js';
import { MapHeader } from './map-layout.js';

/** BPF_MAP_TYPE_RINGBUF: no elements, a ring. What can be done with it is in `area`. */
export class RingBufferMap extends MapBase {
  /** Records become accessible by reserving them, each on its own. */
  readonly regions: readonly AccessRegion[] = [];
  readonly area: RingBufferArea;

  constructor(context: MapContext, spec: MapSpec) {
    super(context, spec);
    const pages = this.allocatePages(RingBufferArea.bytes(spec.maxEntries));
    this.area = new RingBufferArea(this.memory, pages, spec.maxEntries, context.wakeups);
    // Helpers find the map there, given a record only.
    this.memory.u32[(pages + RingLayout.map) >>> 2] = this.address;
    this.setHeader(MapHeader.elements, pages + RingLayout.consumerPage);
    this.setHeader(MapHeader.mask, spec.maxEntries - 1);
  }

  lookupElem(_key: BpfOffset, _cpu: number): number {
    return 0;
  }

  updateElem(_key: BpfOffset, _value: BpfOffset, _flags: number, _cpu: number): number {
    return -Errno.ENOTSUPP;
  }

  deleteElem(_key: BpfOffset): number {
    return -Errno.ENOTSUPP;
  }

  protected override dropContents(): void {
    this.area.dispose();
  }

  protected copyValue(_key: BpfOffset): number {
    return -Errno.ENOTSUPP;
  }

  protected storeValue(_key: BpfOffset, _value: Uint8Array, _flags: number): number {
    return -Errno.ENOTSUPP;
  }

  protected nextKey(_key: BpfOffset | null): number {
    return -Errno.ENOTSUPP;
  }
}
