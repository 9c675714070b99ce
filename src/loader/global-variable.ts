import { BpfError } from '../base/index.js';
import { type Btf, type BtfValue, decodeValue, encodeValue } from '../btf/index.js';
import type { DataMapSpec } from './data-map-spec.js';

/** Where a global variable lies. */
export interface VariablePlace {
  readonly name: string;
  /** Name of its data section, which is the name of its map. */
  readonly map: string;
  readonly offset: number;
  readonly size: number;
  /** Type id in the object's BTF, or in the variable's own where it has been resized. */
  readonly typeId: number;
  /** In .rodata: fixed once the program is loaded. */
  readonly constant: boolean;
}

/** The bytes behind variables: a section before load, a map's value afterwards. */
export interface VariableStorage {
  /** A copy. */
  read(offset: number, size: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
}

/**
 * A global variable of an object, typed by its BTF. Of a `CollectionSpec`: what is set is what the program starts
 * with. Of a `Collection`: what the program sees now.
 */
export class GlobalVariable implements VariablePlace {
  readonly name: string;
  readonly map: string;
  readonly offset: number;
  readonly size: number;
  readonly typeId: number;
  readonly constant: boolean;
  /** The types among which `typeId` is. */
  readonly btf: Btf;
  readonly #storage: VariableStorage;

  constructor(place: VariablePlace, btf: Btf, storage: VariableStorage) {
    this.name = place.name;
    this.map = place.map;
    this.offset = place.offset;
    this.size = place.size;
    this.typeId = place.typeId;
    this.constant = place.constant;
    this.btf = btf;
    this.#storage = storage;
  }

  /** The value by its type; see `decodeValue` for the shapes. */
  get(): BtfValue {
    return decodeValue(this.btf, this.typeId, this.bytes());
  }

  /**
   * Sets the value by its type; see `encodeValue` for what it takes and throws. Parts left out keep their value.
   * A constant of a loaded object is an EPERM `BpfError`.
   */
  set(value: BtfValue): void {
    const bytes = this.bytes();
    encodeValue(this.btf, this.typeId, value, bytes);
    this.#storage.write(this.offset, bytes);
  }

  /** A copy of the bytes. */
  bytes(): Uint8Array {
    return this.#storage.read(this.offset, this.size);
  }

  /** The same variable with its bytes elsewhere. */
  withStorage(storage: VariableStorage): GlobalVariable {
    return new GlobalVariable(this, this.btf, storage);
  }
}

/** The variables of all data sections, by name. Of several static ones with one name, the first. */
export function readVariables(btf: Btf | null, sections: Iterable<DataMapSpec>): Map<string, GlobalVariable> {
  const variables = new Map<string, GlobalVariable>();
  if (btf === null) return variables;
  for (const data of sections) {
    for (const { type: id, offset, size } of btf.findByName(data.name, 'datasec')?.vars ?? []) {
      const variable = btf.byId(id);
      if (variable.kind !== 'var' || variables.has(variable.name)) continue;
      const place = { name: variable.name, map: data.name, offset, size, typeId: variable.type, constant: data.frozen };
      if (offset + size > data.valueSize) throw outside(place, data.valueSize);
      variables.set(variable.name, new GlobalVariable(place, btf, data));
    }
  }
  return variables;
}

function outside(place: VariablePlace, sectionSize: number): BpfError {
  return new BpfError('EINVAL', `variable ${place.name} does not fit its section of ${sectionSize} bytes`, {
    section: place.map,
    offset: place.offset,
    value: place.size,
    remedy: 'the object file is corrupt',
  });
}
