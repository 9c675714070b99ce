import { BpfError, BpfMapFlag, BpfMapType, BpfProgType, type ErrnoName } from '../base/index.js';
import { type Btf, type BtfComposite, type BtfMember, type BtfValue, decodeMember, encodeValue } from '../btf/index.js';
import type { MapSpec } from '../runtime/index.js';
import type { ProgramSpec } from './collection-spec.js';
import type { ElfFile } from './elf/elf-file.js';
import type { ElfRelocation } from './elf/elf-relocations.js';
import type { ElfSection } from './elf/elf-headers.js';

/** SEC(".struct_ops"), and ".struct_ops.link" for those that are attached by a link; with a `?` in front not made unless asked for. */
const SECTION_NAME = /^(\?)?\.struct_ops(\.link)?$/;
const POINTER_BYTES = 8;

export interface StructOpsParts {
  readonly btf: Btf;
  readonly type: BtfComposite;
  readonly isLink: boolean;
  readonly autocreate: boolean;
  readonly contents: Uint8Array;
  readonly programs: ReadonlyMap<string, string>;
}

/**
 * A kernel's table of functions that an object fills with programs and data, as a variable of that struct in a section `.struct_ops` or
 * `.struct_ops.link`. A map by its parameters (BPF_MAP_TYPE_STRUCT_OPS), as libbpf has it. Inert; what is set before it is attached
 * counts.
 */
export class StructOpsSpec implements MapSpec {
  readonly name: string;
  readonly type = BpfMapType.BPF_MAP_TYPE_STRUCT_OPS;
  readonly keySize = 4;
  readonly valueSize: number;
  readonly maxEntries = 1;
  readonly flags: number;
  readonly keyTypeId = 0;
  /** The struct. */
  readonly valueTypeId: number;
  /** Name of the struct: `tcp_congestion_ops`. */
  readonly structName: string;
  /** False for sections with a leading `?`. */
  readonly autocreate: boolean;
  /** The struct's bytes; pointers to functions are 0. */
  readonly contents: Uint8Array;
  readonly #btf: Btf;
  readonly #type: BtfComposite;
  readonly #programs: Map<string, string>;

  constructor(name: string, { btf, type, isLink, autocreate, contents, programs }: StructOpsParts) {
    this.name = name;
    this.valueSize = type.size;
    this.flags = isLink ? BpfMapFlag.BPF_F_LINK : 0;
    this.structName = type.name;
    this.valueTypeId = type.id;
    this.autocreate = autocreate;
    this.contents = contents;
    this.#btf = btf;
    this.#type = type;
    this.#programs = new Map(programs);
  }

  /** Programs by the member that they are for. */
  get programs(): ReadonlyMap<string, string> {
    return this.#programs;
  }

  /** A member by its type. ENOENT for one that the struct does not have. */
  get(member: string): BtfValue {
    return decodeMember(this.#btf, this.#member(member), this.contents);
  }

  /**
   * Sets a member that is data; parts of it that are left out keep their value. EINVAL for bit-fields, and for pointers to functions,
   * which `setProgram` sets.
   */
  set(member: string, value: BtfValue): void {
    const { type, bitOffset, bitSize } = this.#member(member);
    if (bitSize > 0 || isFunctionPointer(this.#btf, type)) {
      const remedy = bitSize > 0 ? 'set the bytes in `contents`' : 'setProgram gives it a program';
      throw refused('EINVAL', `setting ${this.name}.${member}`, { value: member, remedy });
    }
    const start = bitOffset / 8;
    encodeValue(this.#btf, type, value, this.contents.subarray(start, start + this.#btf.sizeOf(type)));
  }

  /** Puts a program of the object at a pointer to a function; null takes it away. */
  setProgram(member: string, program: string | null): void {
    const { type } = this.#member(member);
    if (!isFunctionPointer(this.#btf, type)) {
      const remedy = 'set gives data members their values';
      throw refused('EINVAL', `setting ${this.name}.${member}, which is no function`, { value: member, remedy });
    }
    if (program === null) this.#programs.delete(member);
    else this.#programs.set(member, program);
  }

  #member(name: string): BtfMember {
    const found = this.#type.members.find((member) => member.name === name);
    if (found !== undefined) return found;
    const remedy = `struct ${this.structName} has ${this.#type.members.map((member) => member.name).join(', ')}`;
    throw refused('ENOENT', `no such member of ${this.name}`, { value: name, remedy });
  }
}

/** The tables of an object, in the order of its sections. What is malformed is an EINVAL `BpfError`. */
export function readStructOps(elf: ElfFile, btf: Btf | null, programs: readonly ProgramSpec[]): StructOpsSpec[] {
  return elf.sections.flatMap((section) => {
    const name = SECTION_NAME.exec(section.name);
    if (name === null || section.size === 0) return [];
    if (btf === null) throw malformed(section, 0, section.name, 'it is not described in BTF; compile with -g');
    return new SectionReader(elf, btf, section, programs).read(name[1] === undefined, name[2] !== undefined);
  });
}

class SectionReader {
  readonly #elf: ElfFile;
  readonly #btf: Btf;
  readonly #section: ElfSection;
  readonly #programs: readonly ProgramSpec[];

  constructor(elf: ElfFile, btf: Btf, section: ElfSection, programs: readonly ProgramSpec[]) {
    this.#elf = elf;
    this.#btf = btf;
    this.#section = section;
    this.#programs = programs;
  }

  read(autocreate: boolean, isLink: boolean): StructOpsSpec[] {
    const { name } = this.#section;
    const vars = this.#btf.findByName(name, 'datasec')?.vars;
    if (vars === undefined) throw malformed(this.#section, 0, name, 'it is not described in BTF; compile with -g');
    const relocations = this.#elf.relocationsOf(this.#section.index);
    const specs = vars.map(({ type: id, offset }) => {
      const variable = this.#btf.byId(id);
      const type = variable.kind === 'var' ? this.#btf.resolve(variable.type) : variable;
      if (variable.kind !== 'var' || type.kind !== 'struct')
        throw malformed(this.#section, offset, variable.name, 'a table of functions is a variable of a struct');
      if (offset + type.size > this.#section.size)
        throw malformed(this.#section, offset, variable.name, 'it runs past its section: the object file is corrupt');
      const inside = relocations.filter((each) => each.offset >= offset && each.offset < offset + type.size);
      const programs = new Map(inside.map((each) => this.#programOf(variable.name, type, offset, each)));
      const contents = this.#elf.bytesOf(this.#section).slice(offset, offset + type.size);
      return new StructOpsSpec(variable.name, { btf: this.#btf, type, isLink, autocreate, contents, programs });
    });
    const last = vars.at(-1);
    const end = last === undefined ? 0 : last.offset + last.size;
    const lost = relocations.find((each) => each.offset >= end);
    if (lost !== undefined)
      throw malformed(
        this.#section,
        lost.offset,
        lost.symbol.name,
        'no variable lies there: the object file is corrupt',
      );
    return specs;
  }

  #programOf(table: string, type: BtfComposite, start: number, { offset, symbol }: ElfRelocation): [string, string] {
    const section = this.#section;
    const member = type.members.find((each) => each.bitSize === 0 && each.bitOffset === 8 * (offset - start));
    if (member === undefined || !isFunctionPointer(this.#btf, member.type)) {
      const remedy = 'only pointers to functions can refer to something';
      throw malformed(section, offset, `${table}.${member?.name ?? `+${offset - start}`}`, remedy);
    }
    const program = this.#programs.find(
      ({ entry }) => entry.sectionIndex === symbol.sectionIndex && entry.start * POINTER_BYTES === symbol.value,
    );
    if (program === undefined || program.type !== BpfProgType.BPF_PROG_TYPE_STRUCT_OPS) {
      const remedy = `${symbol.name || 'what it refers to'} is no program in a section struct_ops`;
      throw malformed(section, offset, `${table}.${member.name}`, remedy);
    }
    return [member.name, program.name];
  }
}

function isFunctionPointer(btf: Btf, typeId: number): boolean {
  const pointer = btf.resolve(typeId);
  return pointer.kind === 'ptr' && btf.resolve(pointer.type).kind === 'func_proto';
}

function malformed({ name }: ElfSection, offset: number, value: string, remedy: string): BpfError {
  return new BpfError('EINVAL', 'table of functions is malformed', { section: name, offset, value, remedy });
}

function refused(code: ErrnoName, what: string, details: { value: string; remedy: string }): BpfError {
  return new BpfError(code, what, { section: '.struct_ops', ...details });
}
