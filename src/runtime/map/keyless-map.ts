import { Errno } from '../../base/index.js';
import type { AccessRegion } from '../access-region.js';
import type { BpfOffset } from '../memory/bpf-memory.js';
import { MapBase } from './map-base.js';

/**
 * What maps without keys share: values go in by pushing and are asked for by peeking; programs never hold a pointer to one.
 * In the system-call view keys are empty, an update pushes and a lookup peeks.
 */
export abstract class KeylessMap extends MapBase {
  readonly regions: readonly AccessRegion[] = [];
  /** What bpf(2) answers to what needs a key. */
  protected abstract readonly needsKey: number;

  lookupElem(_key: BpfOffset, _cpu: number): number {
    return 0;
  }

  updateElem(_key: BpfOffset, _value: BpfOffset, _flags: number, _cpu: number): number {
    return -Errno.EINVAL;
  }

  deleteElem(_key: BpfOffset): number {
    return this.needsKey;
  }

  protected storeValue(_key: BpfOffset, value: Uint8Array, flags: number): number {
    return this.push(value, 0, flags);
  }

  protected nextKey(_key: BpfOffset | null): number {
    return this.needsKey;
  }

  override pushElem(value: BpfOffset, flags: number): number {
    return this.push(this.memory.u8, value, flags);
  }

  /** Takes the value that begins at `bytes[at]`; 0 or -errno. */
  protected abstract push(bytes: Uint8Array, at: number, flags: number): number;
}
