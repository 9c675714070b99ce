import { BpfError, BpfUpdateFlag, Errno, errnoName } from '../../base/index.js';
import type { BpfMap } from './bpf-map.js';

/** What `MapAccess.set` insists on: nothing, that the key is new, or that it is there. */
export type SetMode = 'any' | 'noexist' | 'exist';

const modes: Readonly<Record<SetMode, number>> = {
  any: BpfUpdateFlag.BPF_ANY,
  noexist: BpfUpdateFlag.BPF_NOEXIST,
  exist: BpfUpdateFlag.BPF_EXIST,
};

/**
 * A map's system-call view in the manner of a JavaScript `Map`: bytes in, bytes out, `undefined` for what
 * is not there, and a `BpfError` that names the map where the kernel would answer with an error. Values of
 * per-CPU maps are those of all CPUs, each rounded up to 8 bytes.
 */
export class MapAccess implements Iterable<[key: Uint8Array, value: Uint8Array]> {
  readonly map: BpfMap;

  constructor(map: BpfMap) {
    this.map = map;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#bytes('reading', this.map.sysLookup(key));
  }

  /** E2BIG when the map is full; EEXIST or ENOENT where `mode` is not met. */
  set(key: Uint8Array, value: Uint8Array, mode: SetMode = 'any'): void {
    this.#done('writing', this.map.sysUpdate(key, value, modes[mode]));
  }

  /** Whether the key was there. */
  delete(key: Uint8Array): boolean {
    const result = this.map.sysDelete(key);
    if (result === -Errno.ENOENT) return false;
    this.#done('deleting from', result);
    return true;
  }

  /** The value, which is in the map no more; undefined if it was not there. */
  take(key: Uint8Array): Uint8Array | undefined {
    return this.#bytes('taking from', this.map.sysLookupAndDelete(key));
  }

  /**
   * All keys at this moment, in the map's order. Asking for one key after the other would start over
   * where the map is changed in between.
   */
  keys(): Uint8Array[] {
    const keys: Uint8Array[] = [];
    let key = this.#bytes('walking', this.map.sysNextKey(null));
    while (key !== undefined) {
      keys.push(key);
      key = this.#bytes('walking', this.map.sysNextKey(key));
    }
    return keys;
  }

  /** Keys and values; keys that vanish during the iteration are left out, new ones are not visited. */
  *entries(): Generator<[key: Uint8Array, value: Uint8Array], void> {
    for (const key of this.keys()) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  [Symbol.iterator](): Generator<[key: Uint8Array, value: Uint8Array], void> {
    return this.entries();
  }

  #bytes(doing: string, result: Uint8Array | number): Uint8Array | undefined {
    if (typeof result !== 'number') return result;
    if (result !== -Errno.ENOENT) this.#done(doing, result);
    return undefined;
  }

  #done(doing: string, result: number): void {
    if (result >= 0) return;
    const code = errnoName(result) ?? 'EIO';
    throw new BpfError(code, `${doing} map "${this.map.name}" (type ${this.map.type})`, remedies[code]);
  }
}

const remedies: Partial<Record<string, { readonly remedy: string }>> = {
  E2BIG: { remedy: 'the map is full or the index is past its end: raise max_entries' },
  EPERM: { remedy: 'the map is frozen, or its flags deny this access to user space' },
  ENOTSUPP: { remedy: 'maps of this type have no such operation' },
};
