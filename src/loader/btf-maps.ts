import { BpfError, BpfMapType } from '../base/index.js';
import type { Btf, BtfComposite, BtfMember } from '../btf/index.js';
import type { MapSpec } from '../runtime/index.js';

/** A map definition and where in the .maps section it stands. */
export interface MapDefinition {
  readonly spec: MapSpec;
  readonly offset: number;
  readonly size: number;
  /** The struct that defines it. */
  readonly typeId: number;
}

const SECTION = '.maps';
const PAGE = 4096;
/** enum libbpf_pin_type */
const pinnings: readonly NonNullable<MapSpec['pinning']>[] = ['none', 'by_name'];

/**
 * Maps defined in the .maps section, in its order. Numbers are encoded as dimensions of arrays (`__uint`), types as
 * pointed-to types (`__type`); see libbpf's bpf_helpers.h.
 */
export function readBtfMaps(btf: Btf): MapDefinition[] {
  const datasec = btf.findByName(SECTION, 'datasec');
  if (datasec === undefined) throw malformed(SECTION, 'the section is not described in BTF; compile with -g');
  return datasec.vars.map(({ type: id, offset, size }) => {
    const variable = btf.byId(id);
    const definition = btf.resolve(variable.kind === 'var' ? variable.type : id);
    if (variable.kind !== 'var' || variable.linkage !== 'global')
      throw malformed(variable.name, 'a map is a global variable');
    if (definition.kind !== 'struct') throw malformed(variable.name, 'a map is defined by a struct');
    return { spec: readDefinition(btf, variable.name, definition), offset, size, typeId: definition.id };
  });
}

/** What one variable defines as a map; undefined where it is no struct. */
export function mapDefinition(btf: Btf, id: number): MapSpec | undefined {
  const variable = btf.byId(id);
  const definition = btf.resolve(variable.kind === 'var' ? variable.type : id);
  return definition.kind === 'struct' ? readDefinition(btf, variable.name, definition) : undefined;
}

/** Attributes as they are collected; sizes are undefined until some attribute gives them. */
interface Attributes {
  type: number;
  keySize: number | undefined;
  valueSize: number | undefined;
  maxEntries: number;
  flags: number;
  keyTypeId: number;
  valueTypeId: number;
  pinning: NonNullable<MapSpec['pinning']>;
  innerMap: MapSpec | undefined;
  mapExtra: bigint;
  numaNode: number;
}

/** `isInner`: the map is what another one's `values` tells of its maps. */
function readDefinition(btf: Btf, name: string, definition: BtfComposite, isInner = false): MapSpec {
  const attributes: Attributes = {
    type: BpfMapType.BPF_MAP_TYPE_UNSPEC,
    keySize: undefined,
    valueSize: undefined,
    maxEntries: 0,
    flags: 0,
    keyTypeId: 0,
    valueTypeId: 0,
    pinning: 'none',
    innerMap: undefined,
    mapExtra: 0n,
    numaNode: 0,
  };
  definition.members.forEach((member, i) => {
    if (member.name === 'values')
      readValues(btf, name, member, attributes, isInner, i === definition.members.length - 1);
    else if (member.name === 'pinning' && isInner) throw malformed(name, 'maps in maps cannot be pinned');
    else readAttribute(btf, name, member, attributes);
  });
  if (attributes.type === BpfMapType.BPF_MAP_TYPE_UNSPEC)
    throw malformed(name, 'it does not tell its type; add __uint(type, BPF_MAP_TYPE_...)');
  const { keySize, valueSize, maxEntries, innerMap, mapExtra, numaNode, ...rest } = attributes;
  return {
    name,
    ...rest,
    ...(innerMap === undefined ? {} : { innerMap }),
    ...(mapExtra === 0n ? {} : { mapExtra }),
    ...(numaNode === 0 ? {} : { numaNode }),
    keySize: keySize ?? 0,
    valueSize: valueSize ?? 0,
    maxEntries: isRing(rest.type) ? ringSize(maxEntries) : maxEntries,
  };
}

function readAttribute(btf: Btf, map: string, member: BtfMember, attributes: Attributes): void {
  switch (member.name) {
    case 'type':
      attributes.type = readNumber(btf, map, member);
      return;
    case 'max_entries':
      attributes.maxEntries = readNumber(btf, map, member);
      return;
    case 'map_flags':
      attributes.flags = readNumber(btf, map, member);
      return;
    case 'key_size':
      attributes.keySize = sameSize(map, member.name, attributes.keySize, readNumber(btf, map, member));
      return;
    case 'value_size':
      attributes.valueSize = sameSize(map, member.name, attributes.valueSize, readNumber(btf, map, member));
      return;
    case 'key':
      attributes.keyTypeId = readType(btf, map, member);
      attributes.keySize = sameSize(map, member.name, attributes.keySize, btf.sizeOf(attributes.keyTypeId));
      return;
    case 'value':
      attributes.valueTypeId = readType(btf, map, member);
      attributes.valueSize = sameSize(map, member.name, attributes.valueSize, btf.sizeOf(attributes.valueTypeId));
      return;
    case 'pinning':
      attributes.pinning = readPinning(map, readNumber(btf, map, member));
      return;
    case 'numa_node':
      attributes.numaNode = readNumber(btf, map, member);
      return;
    case 'map_extra':
      attributes.mapExtra = readLong(btf, map, member);
      return;
    default:
      throw malformed(map, `unknown attribute ${member.name}`);
  }
}

/** `typeof(PROTOTYPE) *values[]` or `struct INNER *values[]`: elements of program arrays, and of maps of maps. */
function readValues(
  btf: Btf,
  map: string,
  member: BtfMember,
  attributes: Attributes,
  isInner: boolean,
  isLast: boolean,
): void {
  if (isInner) throw malformed(map, 'maps in maps have none in turn');
  if (!isLast) throw malformed(map, 'values come last');
  const isPrograms = attributes.type === BpfMapType.BPF_MAP_TYPE_PROG_ARRAY;
  const isMaps =
    attributes.type === BpfMapType.BPF_MAP_TYPE_ARRAY_OF_MAPS ||
    attributes.type === BpfMapType.BPF_MAP_TYPE_HASH_OF_MAPS;
  if (!isPrograms && !isMaps) throw malformed(map, 'only program arrays and maps of maps have values');
  attributes.valueSize = sameSize(map, member.name, attributes.valueSize, 4);
  const array = btf.byId(member.type);
  if (array.kind !== 'array' || array.count !== 0) throw malformed(map, 'values are an array without a size');
  const pointer = btf.resolve(array.elementType);
  const pointee = pointer.kind === 'ptr' ? btf.resolve(pointer.type) : pointer;
  if (pointer.kind !== 'ptr' || pointee.kind !== (isPrograms ? 'func_proto' : 'struct'))
    throw malformed(map, `values are pointers to ${isPrograms ? 'functions' : 'a struct that defines a map'}`);
  if (isMaps) attributes.innerMap = readDefinition(btf, `${map}.inner`, pointee as BtfComposite, true);
}

/** `int (*name)[NUMBER]` */
function readNumber(btf: Btf, map: string, member: BtfMember): number {
  const pointer = btf.resolve(member.type);
  const array = pointer.kind === 'ptr' ? btf.byId(pointer.type) : pointer;
  if (pointer.kind !== 'ptr' || array.kind !== 'array')
    throw malformed(map, `attribute ${member.name} is not a number; write it with __uint`);
  return array.count;
}

/** As `readNumber`, or an enum whose only value it is (`__ulong`). */
function readLong(btf: Btf, map: string, member: BtfMember): bigint {
  const type = btf.resolve(member.type);
  if (type.kind !== 'enum' && type.kind !== 'enum64') return BigInt(readNumber(btf, map, member));
  const [first, ...others] = type.values;
  if (first === undefined || others.length > 0)
    throw malformed(map, `attribute ${member.name} is not a number; write it with __ulong`);
  return BigInt.asUintN(64, first.value);
}

function readPinning(map: string, value: number): NonNullable<MapSpec['pinning']> {
  const pinning = pinnings[value];
  if (pinning === undefined)
    throw malformed(map, `pinning ${value} is unknown; use LIBBPF_PIN_NONE or LIBBPF_PIN_BY_NAME`);
  return pinning;
}

/** `TYPE *name` */
function readType(btf: Btf, map: string, member: BtfMember): number {
  const pointer = btf.byId(member.type);
  if (pointer.kind !== 'ptr') throw malformed(map, `attribute ${member.name} is not a type; write it with __type`);
  return pointer.type;
}

function sameSize(map: string, attribute: string, known: number | undefined, size: number): number {
  if (known !== undefined && known !== 0 && known !== size)
    throw malformed(map, `attribute ${attribute} gives ${size} bytes, another one ${known}`);
  return size;
}

export function isRing(type: number): boolean {
  return type === BpfMapType.BPF_MAP_TYPE_RINGBUF || type === BpfMapType.BPF_MAP_TYPE_USER_RINGBUF;
}

/** The next size that is a power of two of pages, which rings need; sizes beyond 32 bits are left for createMap to refuse. */
export function ringSize(size: number): number {
  if (size === 0) return 0;
  let fitting = PAGE;
  while (fitting < size) fitting *= 2;
  return fitting > 0xffff_ffff ? size : fitting;
}

function malformed(map: string, why: string): BpfError {
  return new BpfError('EINVAL', `map definition ${map} is malformed`, { section: SECTION, value: map, remedy: why });
}
