import { BpfError } from '../base/index.js';
import type { Btf } from '../btf/index.js';
import type { MapSpec } from '../runtime/index.js';
import type { MapDefinition } from './btf-maps.js';
import { SymbolBinding, SymbolType } from './elf/elf-constants.js';
import type { ElfFile } from './elf/elf-file.js';
import type { ElfSection } from './elf/elf-headers.js';
import type { ElfSymbol } from './elf/elf-symbols.js';

/** struct bpf_map_def of bpf_helpers.h before libbpf 1.0: type, key_size, value_size, max_entries, map_flags. */
const KNOWN_BYTES = 20;
const MIN_BYTES = 16;

/**
 * Maps of the section `maps`, each a struct bpf_map_def, in its order: as libbpf 0.x read them, later ones refuse. All have
 * one size, which is what the section has for each symbol. Fields past map_flags must be 0.
 */
export function readLegacyMaps(elf: ElfFile, btf: Btf | null): MapDefinition[] {
  const section = elf.section('maps');
  if (section === undefined) return [];
  const symbols = elf.symbols
    .filter((symbol) => symbol.sectionIndex === section.index && symbol.type !== SymbolType.SECTION)
    .toSorted((a, b) => a.value - b.value);
  if (symbols.length === 0) return [];
  const size = section.size / symbols.length;
  if (!Number.isInteger(size) || size < MIN_BYTES) {
    throw refused(
      'definitions of maps differ in size',
      section,
      0,
      section.size,
      `there are ${symbols.length} symbols`,
    );
  }
  const bytes = elf.bytesOf(section);
  return symbols.map((symbol) => {
    if (symbol.value + size > bytes.length)
      throw refused(`map definition ${symbol.name} runs past its section`, section, symbol.value, size, CORRUPT);
    const definition = new DataView(bytes.buffer, bytes.byteOffset + symbol.value, size);
    return { spec: toSpec(elf, btf, section, symbol, definition), offset: symbol.value, size, typeId: 0 };
  });
}

const CORRUPT = 'the object file is corrupt';

function toSpec(elf: ElfFile, btf: Btf | null, section: ElfSection, symbol: ElfSymbol, definition: DataView): MapSpec {
  const { name, binding, value: at } = symbol;
  if (binding === SymbolBinding.LOCAL)
    throw refused(`map ${name} is static`, section, at, name, 'define maps as global variables');
  for (let i = KNOWN_BYTES; i < definition.byteLength; i++) {
    if (definition.getUint8(i) === 0) continue;
    const remedy = 'only type, sizes, max_entries and map_flags are known; use SEC(".maps")';
    throw refused(`map ${name} has options that are not known`, section, at + i, definition.getUint8(i), remedy);
  }
  const field = (index: number): number =>
    4 * index + 4 <= definition.byteLength ? definition.getUint32(4 * index, elf.littleEndian) : 0;
  const [type, keySize, valueSize, maxEntries, flags] = [0, 1, 2, 3, 4].map(field);
  return { name, type, keySize, valueSize, maxEntries, flags, ...annotatedTypes(btf, name, keySize, valueSize) };
}

/** BPF_ANNOTATE_KV_PAIR: struct ____btf_map_NAME { KEY key; VALUE value; } */
function annotatedTypes(
  btf: Btf | null,
  name: string,
  keySize: number,
  valueSize: number,
): Pick<MapSpec, 'keyTypeId' | 'valueTypeId'> {
  const none = { keyTypeId: 0, valueTypeId: 0 };
  const pair = btf?.findByName(`____btf_map_${name}`, 'struct');
  if (btf === null || pair === undefined || pair.members.length !== 2) return none;
  const [key, value] = pair.members;
  if (key.name !== 'key' || value.name !== 'value') return none;
  if (btf.sizeOf(key.type) !== keySize || btf.sizeOf(value.type) !== valueSize) return none;
  return { keyTypeId: key.type, valueTypeId: value.type };
}

function refused(what: string, { name }: ElfSection, offset: number, value: string | number, remedy: string): BpfError {
  return new BpfError('EINVAL', what, { section: name, offset, value, remedy });
}
