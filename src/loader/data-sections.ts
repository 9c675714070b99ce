import { BpfMapFlag } from '../base/index.js';
import type { Btf } from '../btf/index.js';
import { DataMapSpec } from './data-map-spec.js';
import { SectionType } from './elf/elf-constants.js';
import type { ElfFile } from './elf/elf-file.js';
import type { ElfSection } from './elf/elf-headers.js';

/** A data section of the object and the map it becomes. */
export interface DataSection {
  readonly sectionIndex: number;
  readonly spec: DataMapSpec;
}

/** .data, .rodata and .bss with their suffixed kin, in file order; empty ones are left out. */
export function readDataSections(elf: ElfFile, btf: Btf | null): DataSection[] {
  return elf.sections.flatMap((section) => {
    const kind = kindOf(section);
    return kind === undefined || section.size === 0 ? [] : [toDataSection(elf, btf, section, kind)];
  });
}

type DataKind = 'data' | 'rodata' | 'bss';

function kindOf(section: ElfSection): DataKind | undefined {
  const match = /^\.(data|rodata|bss)(?:\..*)?$/s.exec(section.name);
  if (match === null) return undefined;
  const kind = match[1] as DataKind;
  return section.type === (kind === 'bss' ? SectionType.NOBITS : SectionType.PROGBITS) ? kind : undefined;
}

function toDataSection(elf: ElfFile, btf: Btf | null, section: ElfSection, kind: DataKind): DataSection {
  const frozen = kind === 'rodata';
  const spec = new DataMapSpec({
    name: section.name,
    size: section.size,
    flags: (frozen ? BpfMapFlag.BPF_F_RDONLY_PROG : 0) | (isShared(elf, btf, section) ? BpfMapFlag.BPF_F_MMAPABLE : 0),
    valueTypeId: btf?.findByName(section.name, 'datasec')?.id ?? 0,
    frozen,
    contents: kind === 'bss' ? undefined : elf.bytesOf(section).slice(),
  });
  return { sectionIndex: section.index, spec };
}

/** Whether user space is to see some variable of the section: anything but `static`, and nothing hidden. */
function isShared(elf: ElfFile, btf: Btf | null, section: ElfSection): boolean {
  if (btf === null) return false;
  const vars = btf.findByName(section.name, 'datasec')?.vars ?? [];
  const inside = elf.symbols.filter(({ sectionIndex, hidden }) => hidden && sectionIndex === section.index);
  const hidden = new Set(inside.map(({ name }) => name));
  return vars.some(({ type: id }) => {
    const variable = btf.byId(id);
    return variable.kind === 'var' && variable.linkage !== 'static' && !hidden.has(variable.name);
  });
}
