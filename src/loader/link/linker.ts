import { BpfError, BpfPseudo } from '../../base/index.js';
import { type Btf, essentialName } from '../../btf/index.js';
import type { SymbolTable } from '../../host/index.js';
import {
  type Insn,
  INSN_SIZE,
  type Kfunc,
  kfuncTypes,
  type LineInfo,
  type MapSpec,
  type ProgramSymbol,
} from '../../runtime/index.js';
import type { CodeReference } from '../code-relocations.js';
import type { CollectionSpec, ProgramSpec } from '../collection-spec.js';
import { Assembly, OP_CALL, OP_LD_IMM64, type PlacedFunction } from './assembly.js';
import { CorePatcher } from './core-patcher.js';
import { findKernelSymbol, type KernelSymbolPlace } from './kernel-symbols.js';
import type { LinkedProgram, MapReference } from './linked-program.js';

/** What a program is linked for. */
export interface LinkOptions {
  /** Types of the kernel the program is to run on; null where they are unknown, which only programs without CO-RE survive. */
  readonly btf: Btf | null;
  /** Its symbols, for __ksym externs without a type; without them those are 0. */
  readonly kallsyms?: SymbolTable;
  /** Kernel functions of the runtime that is to load the program; without, those of the kernel's BTF. */
  readonly kfuncs?: ReadonlyMap<string, Kfunc>;
}

/** Plus the extern's number, libbpf's call of a kernel function that is absent. */
const ABSENT_FUNCTION_IMM = 2002000000;

/** In the half of addresses that engines keep for functions, behind all instructions. */
const KFUNC_ADDRESS = 0xffff_fe7f_8000_0000n;

/**
 * Instructions that the programs of one object may have together, each with its copy of the functions it calls: many small
 * programs that all call a large function would make any amount of a small file.
 */
const MAX_TOTAL_INSNS = 1 << 22;

function tooMuch({ name, section }: ProgramSpec): BpfError {
  return new BpfError('E2BIG', `programs with more than ${MAX_TOTAL_INSNS} instructions together`, {
    section,
    value: name,
    remedy: 'the object is a bomb: its programs call large functions again and again; link fewer of them',
  });
}

/** Links programs of one object for one kernel. Gives the instructions that libbpf would hand to the kernel. */
export class Linker {
  readonly #spec: CollectionSpec;
  readonly #options: LinkOptions;
  readonly #patcher: CorePatcher;
  #linked = 0;
  readonly #symbols = new Map<string, KernelSymbolPlace>();
  /** `LinkedProgram.symbols` of the program at hand. */
  #references = new Map<number, ProgramSymbol>();

  constructor(spec: CollectionSpec, options: LinkOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#patcher = new CorePatcher(spec, options.btf);
  }

  /** Throws a `BpfError` where a reference leads nowhere or a CO-RE relocation is ambiguous. */
  link(program: ProgramSpec): LinkedProgram {
    const assembly = new Assembly(program.entry, this.#spec.code, this.#patcher);
    this.#linked += assembly.insns.length;
    if (this.#linked > MAX_TOTAL_INSNS) throw tooMuch(program);
    const maps = new MapReferences(this.#spec);
    this.#references = new Map();
    for (const placed of assembly.placed) this.#linkData(assembly.insns, placed, maps);
    const { name, section, type, expectedAttachType, attach } = program;
    return {
      name,
      section,
      type,
      expectedAttachType,
      attach,
      insns: assembly.insns,
      maps: maps.specs,
      mapReferences: maps.references,
      lines: assembly.placed.flatMap((placed) => this.#lines(placed)),
      functionNames: new Map(assembly.placed.map(({ each, at }) => [at, each.name])),
      core: assembly.diagnostics,
      sleepable: program.sleepable,
      symbols: this.#references,
    };
  }

  #linkData(insns: Insn[], { each, at }: PlacedFunction, maps: MapReferences): void {
    const references = this.#spec.code.references(each.sectionIndex);
    for (let slot = 0; slot < each.count; slot++) {
      const reference = references.get(each.start + slot);
      if (reference === undefined) continue;
      const isCall = insns[at + slot].code === OP_CALL;
      const isWide = insns[at + slot].code === OP_LD_IMM64 && slot + 1 < each.count;
      if (!isCall && !isWide) throw this.#unexpected(each.section, each.start + slot, 'neither a call nor a wide load');
      if (reference.kind === 'function') continue;
      if (reference.kind === 'extern') this.#linkExtern(insns, at + slot, reference.name, maps);
      else if (isWide) linkMap(insns, at + slot, reference, maps);
      else throw this.#unexpected(each.section, each.start + slot, `a call of the map ${reference.map}`);
    }
  }

  #linkExtern(insns: Insn[], slot: number, name: string, maps: MapReferences): void {
    const index = this.#spec.code.externs.indexOf(name);
    const extern = this.#spec.code.externs.all[index];
    const insn = insns[slot];
    if (extern.kind === 'kconfig') {
      if (insn.code !== OP_LD_IMM64)
        throw this.#unexpected('.kconfig', slot, `a call of the configuration value ${name}`);
      insns[slot] = { ...insn, src: BpfPseudo.BPF_PSEUDO_MAP_VALUE, imm: maps.use(slot, '.kconfig') };
      insns[slot + 1] = { ...insns[slot + 1], imm: extern.offset };
      return;
    }
    const place = this.#symbol(name, index);
    if (place !== null && 'btfId' in place) this.#references.set(slot, this.#reference(name));
    if (insn.code === OP_CALL) insns[slot] = kernelCall(insn, place, index);
    else linkSymbolLoad(insns, slot, place);
  }

  /** A function that has no address of its own is given one that nobody can read. */
  #reference(name: string): ProgramSymbol {
    const kfunc = this.#options.kfuncs?.get(essentialName(name));
    const address = this.#options.kallsyms?.lookup(essentialName(name))?.address;
    const symbol = { name, address: address ?? (kfunc === undefined ? 0n : KFUNC_ADDRESS) };
    return kfunc === undefined ? symbol : { ...symbol, kfunc };
  }

  #symbol(name: string, index: number): KernelSymbolPlace {
    const known = this.#symbols.get(name);
    if (known !== undefined) return known;
    const { btf: local } = this.#spec;
    if (local === null) return null;
    const symbol = this.#spec.code.externs.all[index];
    const { btf: target, kallsyms } = this.#options;
    const place = findKernelSymbol(symbol, { local, target, kallsyms, kfuncs: () => this.#kfuncTypes() });
    this.#symbols.set(name, place);
    return place;
  }

  #kfuncTypes(): Btf | undefined {
    const { kfuncs, btf } = this.#options;
    return kfuncs === undefined ? undefined : kfuncTypes(kfuncs, btf);
  }

  #lines({ each, at }: PlacedFunction): LineInfo[] {
    const { btf, code } = this.#spec;
    const records = code.btfExt?.lines.find(({ section }) => section === each.section)?.records ?? [];
    if (btf === null) return [];
    const [start, end] = [each.start * INSN_SIZE, (each.start + each.count) * INSN_SIZE];
    return records
      .filter(({ insnOffset }) => insnOffset >= start && insnOffset < end)
      .map(({ insnOffset, fileName, text, line, column }) => ({
        insn: at + Math.floor((insnOffset - start) / INSN_SIZE),
        file: btf.string(fileName),
        line,
        column,
        text: btf.string(text).trim(),
      }));
  }

  #unexpected(section: string, slot: number, what: string): BpfError {
    return new BpfError('EINVAL', 'relocation of an instruction that refers to nothing', {
      section,
      offset: slot * INSN_SIZE,
      value: what,
      remedy: 'the object file is corrupt',
    });
  }
}

/** Links one program by name. To link several of one object, keep a `Linker`. */
export function linkProgram(spec: CollectionSpec, name: string, options: LinkOptions): LinkedProgram {
  const program = spec.program(name);
  if (program === undefined) {
    throw new BpfError('ENOENT', 'no such program', {
      value: name,
      remedy: `the object has ${spec.programs.map((each) => each.name).join(', ') || 'none'}`,
    });
  }
  return new Linker(spec, options).link(program);
}

/** Collects what a program refers to and numbers the maps. */
class MapReferences {
  readonly specs: MapSpec[] = [];
  readonly references: MapReference[] = [];
  readonly #spec: CollectionSpec;
  readonly #indices = new Map<string, number>();

  constructor(spec: CollectionSpec) {
    this.#spec = spec;
  }

  /** Notes a reference and returns the map's index. */
  use(insn: number, map: string): number {
    this.references.push({ insn, map });
    const known = this.#indices.get(map);
    if (known !== undefined) return known;
    const spec = this.#spec.map(map);
    if (spec === undefined) throw new BpfError('ENOENT', 'program refers to a map that does not exist', { value: map });
    this.#indices.set(map, this.specs.length);
    return this.specs.push(spec) - 1;
  }
}

function linkMap(
  insns: Insn[],
  slot: number,
  reference: Extract<CodeReference, { map: string }>,
  maps: MapReferences,
): void {
  const insn = insns[slot];
  const index = maps.use(slot, reference.map);
  if (reference.kind === 'map') {
    insns[slot] = { ...insn, src: BpfPseudo.BPF_PSEUDO_MAP_FD, imm: index };
    return;
  }
  insns[slot] = { ...insn, src: BpfPseudo.BPF_PSEUDO_MAP_VALUE, imm: index };
  insns[slot + 1] = { ...insns[slot + 1], imm: (insn.imm + reference.offset) | 0 };
}

function kernelCall(insn: Insn, place: KernelSymbolPlace, index: number): Insn {
  if (place !== null && 'btfId' in place)
    return { ...insn, src: BpfPseudo.BPF_PSEUDO_KFUNC_CALL, imm: place.btfId, off: place.isRuntimes ? 1 : 0 };
  return { code: OP_CALL, dst: 0, src: 0, off: 0, imm: ABSENT_FUNCTION_IMM + index };
}

function linkSymbolLoad(insns: Insn[], slot: number, place: KernelSymbolPlace): void {
  const [low, high] = [insns[slot], insns[slot + 1]];
  if (place !== null && 'btfId' in place) {
    insns[slot] = { ...low, src: BpfPseudo.BPF_PSEUDO_BTF_ID, imm: place.btfId };
    insns[slot + 1] = { ...high, imm: place.isRuntimes ? 1 : 0 };
    return;
  }
  const address = place?.address ?? 0n;
  insns[slot] = { ...low, imm: Number(BigInt.asIntN(32, address)) };
  insns[slot + 1] = { ...high, imm: Number(BigInt.asIntN(32, address >> 32n)) };
}
