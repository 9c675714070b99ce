import { BpfError, BpfMapType } from '../base/index.js';
import type { Btf } from '../btf/index.js';
import type { MapDefinition } from './btf-maps.js';
import type { ElfFile } from './elf/elf-file.js';
import type { ElfRelocation } from './elf/elf-relocations.js';

/** A program at an index of a program array, as `.values = { [3] = program }` asks. */
export interface ProgramSlot {
  readonly map: string;
  readonly index: number;
  readonly program: string;
}

const POINTER_BYTES = 8;

/** Initial elements of program arrays. Those of other maps are refused by name. */
export function readProgramSlots(elf: ElfFile, btf: Btf | null, definitions: readonly MapDefinition[]): ProgramSlot[] {
  const section = elf.section('.maps');
  if (section === undefined || btf === null) return [];
  return elf.relocationsOf(section.index).map((relocation) => toSlot(btf, relocation, definitions));
}

function toSlot(btf: Btf, { offset, symbol }: ElfRelocation, definitions: readonly MapDefinition[]): ProgramSlot {
  const definition = definitions.find(
    (each) => offset >= each.offset && offset + POINTER_BYTES <= each.offset + each.size,
  );
  if (definition === undefined)
    throw refused('EINVAL', 'initial value of no map', offset, symbol.name, 'the object file is corrupt');
  const { spec } = definition;
  if (spec.type !== BpfMapType.BPF_MAP_TYPE_PROG_ARRAY) {
    throw refused(
      'EOPNOTSUPP',
      `initial values of map ${spec.name}`,
      offset,
      symbol.name,
      'only program arrays can have them',
    );
  }
  const values = btf.member(definition.typeId, 'values');
  const at = offset - definition.offset - (values?.bitOffset ?? 0) / 8;
  if (values === undefined || at < 0 || at % POINTER_BYTES !== 0) {
    throw refused(
      'EINVAL',
      `initial value of map ${spec.name} outside its values`,
      offset,
      symbol.name,
      'the object file is corrupt',
    );
  }
  return { map: spec.name, index: at / POINTER_BYTES, program: symbol.name };
}

function refused(code: 'EINVAL' | 'EOPNOTSUPP', what: string, offset: number, value: string, remedy: string): BpfError {
  return new BpfError(code, what, { section: '.maps', offset, value, remedy });
}
