import { BpfError, BpfMapType } from '../base/index.js';
import type { MapSpec } from '../runtime/index.js';

/** The value of an array map may have that many bytes at most (INT_MAX). */
const MAX_VALUE_SIZE = 0x7fff_ffff;

const NOTHING = new Uint8Array(0);

export interface DataMapOptions {
  readonly name: string;
  readonly size: number;
  readonly flags: number;
  /** Id of the datasec that describes the bytes, 0 without BTF. */
  readonly valueTypeId: number;
  readonly frozen: boolean;
  /** Undefined: zeros. */
  readonly contents: Uint8Array | undefined;
}

/**
 * The map of a data section: one value that holds the section's bytes. Sections of zeros take no memory
 * until a variable is set, since nothing in a file vouches for the size of its .bss.
 */
export class DataMapSpec implements MapSpec {
  readonly name: string;
  readonly type = BpfMapType.BPF_MAP_TYPE_ARRAY;
  readonly keySize = 4;
  readonly maxEntries = 1;
  readonly flags: number;
  readonly keyTypeId = 0;
  readonly valueTypeId: number;
  readonly frozen: boolean;
  #valueSize: number;
  #contents: Uint8Array | undefined;

  constructor(options: DataMapOptions) {
    this.name = options.name;
    this.#valueSize = options.size;
    this.flags = options.flags;
    this.valueTypeId = options.valueTypeId;
    this.frozen = options.frozen;
    this.#contents = options.contents;
  }

  /** Bytes of the section. */
  get valueSize(): number {
    return this.#valueSize;
  }

  /** Makes the section longer, with zeros, or shorter. */
  resize(size: number): void {
    if (!Number.isInteger(size) || size < 1 || size > MAX_VALUE_SIZE)
      throw new RangeError(`a section has 1 to ${MAX_VALUE_SIZE} bytes`);
    if (this.#contents !== undefined) {
      const contents = new Uint8Array(size);
      contents.set(this.#contents.subarray(0, size));
      this.#contents = contents;
    }
    this.#valueSize = size;
  }

  /** The section's bytes; empty where they are still all zero. */
  get contents(): Uint8Array {
    return this.#contents ?? NOTHING;
  }

  /** A copy of the bytes of one variable. */
  read(offset: number, size: number): Uint8Array {
    return this.#contents === undefined ? new Uint8Array(size) : this.#contents.slice(offset, offset + size);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#contents ??= this.#zeros();
    this.#contents.set(bytes, offset);
  }

  #zeros(): Uint8Array {
    if (this.valueSize <= MAX_VALUE_SIZE) return new Uint8Array(this.valueSize);
    throw new BpfError('E2BIG', 'data section is larger than a map value can be', {
      section: this.name,
      value: this.valueSize,
      remedy: 'the size of the section is corrupt',
    });
  }
}
