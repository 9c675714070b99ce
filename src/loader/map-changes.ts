import { BpfError } from '../base/index.js';
import { type Btf, BtfBuilder } from '../btf/index.js';
import type { MapSpec } from '../runtime/index.js';
import { isRing, ringSize } from './btf-maps.js';
import type { DataMapSpec } from './data-map-spec.js';
import { GlobalVariable } from './global-variable.js';

/** Parameters of a map that can be set before it is loaded. */
export type MapChanges = Partial<
  Pick<MapSpec, 'type' | 'keySize' | 'valueSize' | 'maxEntries' | 'flags' | 'pinning' | 'innerMap'>
>;

/** What bpf(2) takes as u32. */
const WORDS = ['type', 'keySize', 'valueSize', 'maxEntries', 'flags'] as const;

/**
 * A definition with other parameters. Sizes of rings are rounded up, types of keys and values of another size forgotten. Throws a
 * RangeError for a number that is no u32.
 */
export function changedMap(map: MapSpec, changes: MapChanges): MapSpec {
  for (const name of WORDS) {
    const value = changes[name] ?? 0;
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32)
      throw new RangeError(`map "${map.name}": ${name} is a 32-bit unsigned integer, not ${value}`);
  }
  const { innerMap = map.innerMap, pinning = map.pinning, ...sizes } = changes;
  const changed = { ...map, ...sizes };
  return {
    ...changed,
    maxEntries: isRing(changed.type) ? ringSize(changed.maxEntries) : changed.maxEntries,
    keyTypeId: changed.keySize === map.keySize ? map.keyTypeId : 0,
    valueTypeId: changed.valueSize === map.valueSize ? map.valueTypeId : 0,
    ...(innerMap === undefined ? {} : { innerMap }),
    ...(pinning === undefined ? {} : { pinning }),
  };
}

/** Resizes a data section; the variable that is longer or shorter thereby, if any. */
export function resizeData(
  btf: Btf | null,
  data: DataMapSpec,
  variables: ReadonlyMap<string, GlobalVariable>,
  changes: MapChanges,
): GlobalVariable | undefined {
  const [other] = Object.keys(changes).filter((name) => name !== 'valueSize');
  const { valueSize: size } = changes;
  if (other !== undefined) throw refused(data, other, 'a data section has a size, which is its valueSize');
  if (size === undefined || size === data.valueSize) return undefined;
  if (btf === null) {
    data.resize(size);
    return undefined;
  }
  const last = [...variables.values()]
    .filter((each) => each.map === data.name)
    .reduce<GlobalVariable | undefined>((a, b) => (a === undefined || b.offset >= a.offset ? b : a), undefined);
  const array = last?.btf.resolve(last.typeId);
  if (last === undefined || array?.kind !== 'array') throw refused(data, size, 'its last variable is no array');
  const element = btf.sizeOf(array.elementType);
  const count = (size - last.offset) / element;
  if (!Number.isInteger(count) || count < 1)
    throw refused(data, size, `${last.name} begins at ${last.offset} and has elements of ${element} bytes`);
  data.resize(size);
  const builder = new BtfBuilder({ base: btf });
  const { elementType, indexType } = array;
  const typeId = builder.add({ kind: 'array', elementType, indexType, count });
  return new GlobalVariable({ ...placeOf(last), size: size - last.offset, typeId }, builder.build(), data);
}

function placeOf({
  name,
  map,
  offset,
  constant,
}: GlobalVariable): Pick<GlobalVariable, 'name' | 'map' | 'offset' | 'constant'> {
  return { name, map, offset, constant };
}

function refused(data: DataMapSpec, value: string | number, remedy: string): BpfError {
  return new BpfError('EINVAL', `data section ${data.name} cannot be changed so`, {
    section: data.name,
    value,
    remedy,
  });
}
