import { BpfError, BpfMapType, type ErrnoName } from '../base/index.js';
import type { Btf } from '../btf/index.js';
import type { MapDefinition } from './btf-maps.js';
import { SymbolType } from './elf/elf-constants.js';
import type { ElfFile } from './elf/elf-file.js';
import type { ElfRelocation } from './elf/elf-relocations.js';

/** A program at an index of a program array, as `.values = { [3] = program }` asks. */
export interface ProgramSlot {
  readonly map: string;
  readonly index: number;
  readonly program: string;
}

/** A map at an index of a map of maps, as `.values = { [3] = &map }` asks. */
export interface MapSlot {
  readonly map: string;
  readonly index: number;
  readonly inner: string;
}

/** What the object wants in its maps. */
export interface InitialSlots {
  readonly programs: readonly ProgramSlot[];
  readonly maps: readonly MapSlot[];
}

const POINTER_BYTES = 8;

/** Initial elements of program arrays and maps of maps. Those of other maps are refused by name. */
export function readInitialSlots(
  elf: ElfFile,
  btf: Btf | null,
  definitions: readonly MapDefinition[],
  isProgram: (name: string) => boolean,
): InitialSlots {
  const section = elf.section('.maps');
  const programs: ProgramSlot[] = [];
  const maps: MapSlot[] = [];
  if (section === undefined || btf === null) return { programs, maps };
  for (const relocation of elf.relocationsOf(section.index)) {
    const { definition, index } = placeOf(btf, relocation, definitions);
    const map = definition.spec.name;
    if (definition.spec.type === BpfMapType.BPF_MAP_TYPE_PROG_ARRAY) {
      programs.push({ map, index, program: programOf(relocation, map, isProgram) });
    } else maps.push({ map, index, inner: innerMapOf(relocation, definition, section.index, definitions) });
  }
  return { programs, maps };
}

function placeOf(
  btf: Btf,
  { offset, symbol }: ElfRelocation,
  definitions: readonly MapDefinition[],
): { readonly definition: MapDefinition; readonly index: number } {
  const definition = definitions.find(
    (each) => offset >= each.offset && offset + POINTER_BYTES <= each.offset + each.size,
  );
  if (definition === undefined) throw refused('EINVAL', 'initial value of no map', offset, symbol.name, CORRUPT);
  const { name, type } = definition.spec;
  if (!TYPES.includes(type)) {
    const remedy = 'only program arrays and maps of maps can have them';
    throw refused('EOPNOTSUPP', `initial values of map ${name}`, offset, symbol.name, remedy);
  }
  const values = btf.member(definition.typeId, 'values');
  const at = offset - definition.offset - (values?.bitOffset ?? 0) / 8;
  if (values === undefined || at < 0 || at % POINTER_BYTES !== 0)
    throw refused('EINVAL', `initial value of map ${name} outside its values`, offset, symbol.name, CORRUPT);
  return { definition, index: at / POINTER_BYTES };
}

const CORRUPT = 'the object file is corrupt';
const { BPF_MAP_TYPE_PROG_ARRAY, BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS } = BpfMapType;
const TYPES: readonly number[] = [BPF_MAP_TYPE_PROG_ARRAY, BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS];

function programOf({ offset, symbol }: ElfRelocation, map: string, isProgram: (name: string) => boolean): string {
  if (symbol.type === SymbolType.FUNC && isProgram(symbol.name)) return symbol.name;
  const remedy = 'put functions in program arrays that have a section of their own';
  throw refused('EINVAL', `initial value of ${map} is no program`, offset, symbol.name, remedy);
}

function innerMapOf(
  { offset, symbol }: ElfRelocation,
  { spec }: MapDefinition,
  mapsIndex: number,
  definitions: readonly MapDefinition[],
): string {
  const inner = definitions.find((each) => each.spec.name === symbol.name);
  if (symbol.sectionIndex !== mapsIndex || inner === undefined)
    throw refused('EINVAL', `initial value of ${spec.name} is no map`, offset, symbol.name, 'put &map there');
  if (spec.type === BPF_MAP_TYPE_HASH_OF_MAPS && spec.keySize !== 4) {
    const remedy = 'the index is the key, which has 4 bytes then';
    throw refused('EINVAL', `initial values of ${spec.name}, whose keys are not u32`, offset, spec.keySize, remedy);
  }
  return inner.spec.name;
}

function refused(code: ErrnoName, what: string, offset: number, value: string | number, remedy: string): BpfError {
  return new BpfError(code, what, { section: '.maps', offset, value, remedy });
}
