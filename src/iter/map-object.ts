import { u64 } from '../base/index.js';
import type { Btf } from '../btf/index.js';
import { type AccessRegion, BPF_MEMORY_HI, type BpfMap, type BpfMemory, type BpfOffset } from '../runtime/index.js';

const NAME_MAX = 15;
const encoder = new TextEncoder();

/**
 * A `struct bpf_map` in BpfMemory, laid out as the host's own types say, so that programs which were relocated for the host
 * find id, type, sizes, flags, name and reference counts of a map. Nothing else of it is filled in.
 */
export class MapObject {
  readonly #memory: BpfMemory;
  readonly #btf: Btf;
  readonly #type: number;
  readonly #size: number;
  readonly #at: BpfOffset;

  /** Null where the host's types do not have it. */
  static create(memory: BpfMemory, btf: Btf | null): MapObject | null {
    const type = btf?.findByName('bpf_map', 'struct');
    return btf === null || type === undefined ? null : new MapObject(memory, btf, type.id);
  }

  private constructor(memory: BpfMemory, btf: Btf, type: number) {
    this.#memory = memory;
    this.#btf = btf;
    this.#type = type;
    this.#size = btf.sizeOf(type);
    this.#at = memory.alloc(this.#size);
  }

  get pointer(): bigint {
    return u64(this.#at, BPF_MEMORY_HI);
  }

  get region(): AccessRegion {
    return { start: this.#at, end: this.#at + this.#size, stride: 0, size: this.#size, writable: false };
  }

  describe(map: BpfMap): void {
    const { u8 } = this.#memory;
    u8.fill(0, this.#at, this.#at + this.#size);
    const { id, type, keySize, valueSize, maxEntries, flags, spec } = map;
    const numbers = {
      id,
      map_type: type,
      key_size: keySize,
      value_size: valueSize,
      max_entries: maxEntries,
      map_flags: flags,
      btf_key_type_id: spec.keyTypeId,
      btf_value_type_id: spec.valueTypeId,
      'refcnt.counter': 1,
      'usercnt.counter': 1,
    };
    for (const [member, value] of Object.entries(numbers)) this.#put(member, value);
    const name = this.#btf.member(this.#type, 'name');
    if (name !== undefined) u8.set(encoder.encode(map.name).subarray(0, NAME_MAX), this.#at + name.bitOffset / 8);
  }

  free(): void {
    this.#memory.free(this.#at, this.#size);
  }

  #put(member: string, value: number): void {
    const place = this.#btf.member(this.#type, member);
    if (place !== undefined) this.#memory.view.setUint32(this.#at + place.bitOffset / 8, value, true);
  }
}
