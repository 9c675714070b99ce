import { BpfError, BpfMapFlag, utf8Text } from '../base/index.js';
import type { Btf, BtfExt } from '../btf/index.js';
import type { AttachTarget, MapSpec } from '../runtime/index.js';
import { type MapDefinition, readBtfMaps } from './btf-maps.js';
import { type CodeReference, readCodeRelocations } from './code-relocations.js';
import { DataMapSpec } from './data-map-spec.js';
import { type DataSection, readDataSections } from './data-sections.js';
import type { ElfFile } from './elf/elf-file.js';
import { ExternTable } from './externs.js';
import { ObjectCode, type ObjectFunction } from './functions.js';
import { type GlobalVariable, readVariables } from './global-variable.js';
import { readLegacyMaps } from './legacy-maps.js';
import { type ObjectFile, readObjectFile } from './object-file.js';
import { changedMap, type MapChanges, resizeData } from './map-changes.js';
import { type MapSlot, type ProgramSlot, readInitialSlots } from './map-slots.js';
import { parseSectionName } from './section-name.js';
import { readStructOps, StructOpsSpec } from './struct-ops.js';

/** A program of an object file: inert. */
export interface ProgramSpec {
  readonly name: string;
  /** ELF section name, without a leading `?`. */
  readonly section: string;
  /** BpfProgType number; BPF_PROG_TYPE_UNSPEC where the section name does not tell. */
  readonly type: number;
  readonly expectedAttachType: number;
  /** Where the section name asks the program to be attached. */
  readonly attach: AttachTarget;
  /** False for sections named `?...`: loaded only when asked for. */
  readonly autoload: boolean;
  /** Whether `attachPrograms` attaches it unless told otherwise: the section name is of a form that tells where. */
  readonly autoattach: boolean;
  /** The program may sleep: BPF_F_SLEEPABLE. */
  readonly sleepable: boolean;
  /** The program takes packets in fragments: BPF_F_XDP_HAS_FRAGS. */
  readonly xdpFrags: boolean;
  /** The program's entry function. */
  readonly entry: ObjectFunction;
}

/** What linking needs beyond the public fields. */
export interface CollectionCode {
  readonly code: ObjectCode;
  readonly btfExt: BtfExt | null;
  readonly externs: ExternTable;
  /** References of one code section by instruction slot. */
  readonly references: (sectionIndex: number) => ReadonlyMap<number, CodeReference>;
}

/** Version and licence sections are short; longer ones are cut as in the kernel. */
const MAX_LICENSE_BYTES = 128;

/**
 * An object file taken apart: programs, maps, types and global variables. Inert and deterministic, made from
 * bytes alone: nothing here knows a machine. `linkProgram` makes instructions of it, `Collection.load` live objects.
 */
export class CollectionSpec {
  /** In the order of the file. */
  readonly programs: readonly ProgramSpec[];
  /** The object's own types, null if it was compiled without -g. */
  readonly btf: Btf | null;
  /** Byte order of the object. What is big-endian can be read and linked, and runs on no machine there is. */
  readonly littleEndian: boolean;
  /** Empty where the object names none. */
  readonly license: string;
  /** The number in the version section, 0 without one. */
  readonly kernelVersion: number;
  /** Programs that the object wants in its program arrays. */
  readonly programSlots: readonly ProgramSlot[];
  /** Maps that the object wants in its maps of maps. */
  readonly mapSlots: readonly MapSlot[];
  /** The kernel's tables of functions that the object fills; they stand among the maps, too. */
  readonly structOps: readonly StructOpsSpec[];
  /** For the linker. */
  readonly code: CollectionCode;
  #maps: readonly MapSpec[];
  readonly #variables: Map<string, GlobalVariable>;

  private constructor(object: ObjectFile) {
    const { elf, btf, btfExt } = object;
    const code = new ObjectCode(elf);
    const legacy = readLegacyMaps(elf, btf);
    const definitions = elf.section('.maps') === undefined ? [] : definedMaps(elf, btf);
    const data = readDataSections(elf, btf);
    const externs = new ExternTable(elf, btf);
    const kconfig = externs.kconfigSize === 0 ? [] : [kconfigMap(btf, externs)];
    this.btf = btf === null ? null : externs.placeIn(btf);
    this.programs = code.functions.filter((each) => each.isEntry).map(toProgram);
    this.structOps = readStructOps(elf, btf, this.programs);
    this.#maps = [
      ...[...legacy, ...definitions].map(({ spec }) => spec),
      ...data.map(({ spec }) => spec),
      ...kconfig,
      ...this.structOps,
    ];
    this.littleEndian = elf.littleEndian;
    this.license = readLicense(elf);
    this.kernelVersion = readVersion(elf);
    this.#variables = readVariables(
      btf,
      data.map(({ spec }) => spec),
    );
    const slots = readInitialSlots(elf, btf, definitions, (name) => this.program(name) !== undefined);
    this.programSlots = slots.programs;
    this.mapSlots = slots.maps;
    this.code = { code, btfExt, externs, references: lazyReferences(elf, legacy, definitions, data) };
  }

  /** Reads an object file as clang -target bpf writes it. Anything else is a `BpfError` that tells where it is not one. */
  static parse(bytes: Uint8Array): CollectionSpec {
    return new CollectionSpec(readObjectFile(bytes));
  }

  /** Maps of the sections maps and .maps in their order, then data sections in file order, .kconfig, and tables of functions. */
  get maps(): readonly MapSpec[] {
    return this.#maps;
  }

  /** Global variables by name. Values set here are those the program starts with. */
  get variables(): ReadonlyMap<string, GlobalVariable> {
    return this.#variables;
  }

  /**
   * Gives a map other parameters before it is loaded. Of a data section only `valueSize` can change: it grows by zeros, and if its
   * last variable is an array that has as many elements more. ENOENT for a map that the object does not have.
   */
  changeMap(name: string, changes: MapChanges): void {
    const map = this.map(name);
    if (map === undefined) {
      throw new BpfError('ENOENT', 'no such map', {
        value: name,
        remedy: `the object has ${this.maps.map((each) => each.name).join(', ') || 'none'}`,
      });
    }
    if (map instanceof StructOpsSpec) {
      throw new BpfError('EINVAL', `changing ${name}: a table of functions is what its struct is`, {
        section: '.struct_ops',
        value: name,
        remedy: 'set members by spec.structOps',
      });
    }
    if (!(map instanceof DataMapSpec)) {
      this.#maps = this.#maps.map((each) => (each === map ? changedMap(map, changes) : each));
      return;
    }
    const resized = resizeData(this.btf, map, this.#variables, changes);
    if (resized !== undefined) this.#variables.set(resized.name, resized);
  }

  /** Types in the object's BTF that are the kernel's: programs get a pointer to one, or relocate accesses to it. */
  get kernelTypes(): ReadonlySet<number> {
    const { btf, code } = this;
    const contexts = this.programs.flatMap(({ name }) => btf?.prototypeOf(name)?.params ?? []);
    const relocated = code.btfExt?.relocations.flatMap(({ records }) => records) ?? [];
    return new Set([...contexts.map(({ type }) => type), ...relocated.map(({ typeId }) => typeId)]);
  }

  program(name: string): ProgramSpec | undefined {
    return this.programs.find((program) => program.name === name);
  }

  map(name: string): MapSpec | undefined {
    return this.maps.find((map) => map.name === name);
  }
}

function toProgram(entry: ObjectFunction): ProgramSpec {
  return { name: entry.name, ...parseSectionName(entry.section), entry };
}

function definedMaps(elf: ElfFile, btf: Btf | null): MapDefinition[] {
  if (btf === null) {
    throw new BpfError('EINVAL', 'maps are defined without BTF', {
      section: '.maps',
      offset: elf.section('.maps')?.offset ?? 0,
      remedy: 'compile with -g',
    });
  }
  const definitions = readBtfMaps(btf);
  const size = elf.section('.maps')?.size ?? 0;
  for (const { spec, offset, size: bytes } of definitions) {
    if (offset + bytes <= size) continue;
    throw new BpfError('EINVAL', `map definition ${spec.name} runs past its section`, {
      section: '.maps',
      offset,
      value: bytes,
      remedy: 'the object file is corrupt',
    });
  }
  return definitions;
}

/** The map through which programs see __kconfig externs; its values are known when the program is loaded. */
function kconfigMap(btf: Btf | null, externs: ExternTable): DataMapSpec {
  return new DataMapSpec({
    name: '.kconfig',
    size: externs.kconfigSize,
    flags: BpfMapFlag.BPF_F_RDONLY_PROG | BpfMapFlag.BPF_F_MMAPABLE,
    valueTypeId: btf?.findByName('.kconfig', 'datasec')?.id ?? 0,
    frozen: true,
    contents: undefined,
  });
}

function lazyReferences(
  elf: ElfFile,
  legacy: readonly MapDefinition[],
  definitions: readonly MapDefinition[],
  data: readonly DataSection[],
): CollectionCode['references'] {
  const byOffset = (each: readonly MapDefinition[]): ReadonlyMap<number, string> =>
    new Map(each.map(({ offset, spec }) => [offset, spec.name]));
  const mapSections = new Map([
    [elf.section('maps')?.index, byOffset(legacy)],
    [elf.section('.maps')?.index, byOffset(definitions)],
  ]);
  const bySection = new Map(data.map(({ sectionIndex, spec }) => [sectionIndex, spec.name]));
  const places = {
    mapAt: (sectionIndex: number, offset: number) => mapSections.get(sectionIndex)?.get(offset),
    dataMap: (sectionIndex: number) => bySection.get(sectionIndex),
  };
  const known = new Map<number, ReadonlyMap<number, CodeReference>>();
  return (sectionIndex) => {
    const references = known.get(sectionIndex) ?? readCodeRelocations(elf, sectionIndex, places);
    known.set(sectionIndex, references);
    return references;
  };
}

function readLicense(elf: ElfFile): string {
  const section = elf.section('license');
  if (section === undefined) return '';
  const bytes = elf.bytesOf(section).subarray(0, MAX_LICENSE_BYTES - 1);
  const end = bytes.indexOf(0);
  return utf8Text(end < 0 ? bytes : bytes.subarray(0, end));
}

function readVersion(elf: ElfFile): number {
  const section = elf.section('version');
  if (section === undefined) return 0;
  const bytes = elf.bytesOf(section);
  if (bytes.length !== 4) {
    throw new BpfError('EINVAL', 'version section is not one 32-bit number', {
      section: 'version',
      offset: section.offset,
      value: bytes.length,
      remedy: 'write u32 VERSION SEC("version") = number',
    });
  }
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, elf.littleEndian);
}
