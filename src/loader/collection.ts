import { BpfError, BpfMapType, BpfProgType, errnoName } from '../base/index.js';
import { hasSyscallWrapper } from '../host/index.js';
import type { AttachTarget, BpfMap, BpfProgram, MapSpec, ProgramInput, Runtime } from '../runtime/index.js';
import { isMapOfMaps, ProgArrayMap } from '../runtime/index.js';
import type { CollectionSpec, ProgramSpec } from './collection-spec.js';
import type { GlobalVariable, VariableStorage } from './global-variable.js';
import { kconfigContents, type KconfigSources, type KconfigValues } from './kconfig.js';
import { pinMap, pinnedMap, pinPath } from './pinned-maps.js';
import type { LinkedProgram } from './link/linked-program.js';
import { Linker, type LinkOptions } from './link/linker.js';

/** How to load; everything is optional. */
export interface LoadOptions extends Partial<LinkOptions> {
  /** Names of the programs to load; default: all but those in sections named `?...`. */
  readonly programs?: readonly string[];
  /** Switches by program name: true loads one whose section says `?`, false leaves one out. Not with `programs`. */
  readonly autoload?: Readonly<Record<string, boolean>>;
  /**
   * Values of __kconfig externs, over those of `kconfigText` and the host's configuration. LINUX_KERNEL_VERSION and the
   * LINUX_HAS_ ones have values without.
   */
  readonly kconfig?: KconfigValues;
  /** Directory for maps that are pinned by name; default /sys/fs/bpf of the runtime's bpffs. */
  readonly pinRoot?: string;
  /** More of a kernel's configuration, over the host's: lines like CONFIG_HZ=250. */
  readonly kconfigText?: string;
}

/** A loaded program and what its object says of it. */
export interface CollectionProgram {
  readonly name: string;
  readonly section: string;
  /** Where its section name asks it to be attached. */
  readonly attach: AttachTarget;
  /** Whether its section name is of a form that tells where; see `attachPrograms`. */
  readonly autoattach: boolean;
  /** Held by the collection until it is closed; retain it to keep it longer. */
  readonly program: BpfProgram;
  readonly linked: LinkedProgram;
}

/** Tables of functions are nothing that a runtime makes: they are for a kernel that has such a type. */
const STRUCT_OPS = BpfMapType.BPF_MAP_TYPE_STRUCT_OPS;

/** The kernel whose behaviour kscope reproduces, and what a host that does not tell its own is taken for. */
const KERNEL_VERSION = (6 << 16) | (18 << 8);

/** The maps, programs and variables of one object, live in a runtime. Owns a reference to each until it is closed. */
export class Collection {
  readonly spec: CollectionSpec;
  /** By name, in the order of the object. Data sections are maps named like them. */
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly programs: ReadonlyMap<string, CollectionProgram>;
  /** Global variables as the programs see them now. */
  readonly variables: ReadonlyMap<string, GlobalVariable>;
  #isClosed = false;

  private constructor(
    spec: CollectionSpec,
    maps: ReadonlyMap<string, BpfMap>,
    programs: ReadonlyMap<string, CollectionProgram>,
  ) {
    this.spec = spec;
    this.maps = maps;
    this.programs = programs;
    this.variables = new Map(
      [...spec.variables].map(([name, variable]) => [name, variable.withStorage(storageOf(variable, maps))]),
    );
  }

  /**
   * Creates the maps or takes those that are pinned by their names, fills those of data sections, links the programs for the runtime's host and loads them. Throws a
   * `BpfError`, and leaves nothing behind, where anything of it fails.
   */
  static load(spec: CollectionSpec, runtime: Runtime, options: LoadOptions = {}): Collection {
    if (!spec.littleEndian) throw bigEndian();
    const maps = new Map<string, BpfMap>();
    const programs = new Map<string, CollectionProgram>();
    const pinned: string[] = [];
    try {
      for (const map of spec.maps)
        if (map.type !== STRUCT_OPS) maps.set(map.name, openMap(spec, map, runtime, options, pinned));
      const linker = new Linker(spec, {
        btf: options.btf ?? runtime.host.btf,
        kallsyms: options.kallsyms ?? runtime.host.symbols,
        kfuncs: options.kfuncs ?? runtime.kfuncs,
      });
      const linked = chosenPrograms(spec, options).map((program) => linker.link(program));
      for (const program of loadPrograms(spec, runtime, maps, linked)) programs.set(program.name, program);
      fillMapsOfMaps(spec, maps);
      fillProgramArrays(spec, maps, programs);
      return new Collection(spec, maps, programs);
    } catch (error) {
      for (const path of pinned) runtime.bpffs.unlink(path);
      releaseAll(maps, programs);
      throw error;
    }
  }

  /** Gives back the collection's references. Programs that are attached, and maps they use, live on until they are detached. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    releaseAll(this.maps, this.programs);
  }
}

function bigEndian(): BpfError {
  return new BpfError('EINVAL', 'loading an object whose byte order is not the runtime’s', {
    section: 'ELF file',
    offset: 5,
    value: 'big-endian',
    remedy: 'compile it with -target bpfel',
  });
}

/** Makes a map, or takes the one that is pinned by its name; a new one is pinned then, and its path added to `pinned`. */
function openMap(spec: CollectionSpec, map: MapSpec, runtime: Runtime, options: LoadOptions, pinned: string[]): BpfMap {
  const live = liveMapSpec(spec, map, runtime, options);
  if (map.pinning !== 'by_name') return runtime.createMap(live);
  const path = pinPath(map, options.pinRoot);
  const known = pinnedMap(runtime, live, path);
  if (known !== undefined) return known;
  const made = runtime.createMap(live);
  try {
    pinMap(runtime, made, path);
    pinned.push(path);
    return made;
  } catch (error) {
    made.release();
    throw error;
  }
}

/**
 * A map of `spec` as `runtime` is to create it: .kconfig with its contents, and a perf event array without a size with
 * an element for each CPU.
 */
export function liveMapSpec(
  spec: CollectionSpec,
  map: MapSpec,
  runtime: Runtime,
  options: Pick<LoadOptions, 'kconfig' | 'kconfigText'> = {},
): MapSpec {
  if (map.name === '.kconfig')
    return { ...plain(map), contents: kconfigContents(spec, kconfigSources(runtime, options)) };
  const isOpen = map.type === BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY && map.maxEntries === 0;
  return isOpen ? { ...plain(map), maxEntries: runtime.cpus } : map;
}

function plain(map: MapSpec): MapSpec {
  const { name, type, keySize, valueSize, maxEntries, flags, keyTypeId, valueTypeId, frozen, pinning } = map;
  const rest = { frozen: frozen ?? false, ...(pinning === undefined ? {} : { pinning }) };
  return { name, type, keySize, valueSize, maxEntries, flags, keyTypeId, valueTypeId, ...rest };
}

function kconfigSources(
  runtime: Runtime,
  { kconfig, kconfigText }: Pick<LoadOptions, 'kconfig' | 'kconfigText'>,
): KconfigSources {
  const texts = [kconfigText, runtime.host.kconfig].filter((text) => text !== undefined);
  return { values: { ...virtualKconfig(runtime), ...kconfig }, texts };
}

/** Externs that no .config has: libbpf answers them itself. */
function virtualKconfig(runtime: Runtime): KconfigValues {
  return {
    LINUX_KERNEL_VERSION: runtime.host.kernelVersion ?? KERNEL_VERSION,
    LINUX_HAS_BPF_COOKIE: 1,
    LINUX_HAS_SYSCALL_WRAPPER: hasSyscallWrapper(runtime.host) ? 1 : 0,
  };
}

function chosenPrograms(spec: CollectionSpec, { programs, autoload = {} }: LoadOptions): readonly ProgramSpec[] {
  for (const name of Object.keys(autoload)) programNamed(spec, name);
  if (programs !== undefined) return programs.map((name) => programNamed(spec, name));
  return spec.programs.filter((program) => autoload[program.name] ?? program.autoload);
}

function programNamed(spec: CollectionSpec, name: string): ProgramSpec {
  const program = spec.program(name);
  if (program !== undefined) return program;
  throw new BpfError('ENOENT', 'no such program', {
    value: name,
    remedy: `the object has ${spec.programs.map((each) => each.name).join(', ')}`,
  });
}

function loadPrograms(
  spec: CollectionSpec,
  runtime: Runtime,
  maps: ReadonlyMap<string, BpfMap>,
  linked: readonly LinkedProgram[],
): CollectionProgram[] {
  const inputs = linked.map((each) => programInput(spec, each, liveMaps(each, maps)));
  return runtime.loadPrograms(inputs).map((program, i) => {
    const { name, section, attach } = linked[i];
    const autoattach = spec.program(name)?.autoattach ?? false;
    return { name, section, attach, autoattach, program, linked: linked[i] };
  });
}

function liveMaps({ maps: specs }: LinkedProgram, maps: ReadonlyMap<string, BpfMap>): BpfMap[] {
  return specs.map(({ name }) => maps.get(name) as BpfMap);
}

/** What a runtime loads of a linked program of `spec`. EINVAL where the section name tells no type. */
export function programInput(spec: CollectionSpec, linked: LinkedProgram, maps: readonly BpfMap[]): ProgramInput {
  const { name, section, type, expectedAttachType, insns, lines, functionNames, sleepable, symbols } = linked;
  if (type === BpfProgType.BPF_PROG_TYPE_UNSPEC) {
    throw new BpfError('EINVAL', `program ${name} has no type`, {
      section,
      remedy: 'give its section a name that tells, like kprobe/vfs_read',
    });
  }
  return {
    name,
    type,
    expectedAttachType,
    license: spec.license,
    insns,
    maps,
    lines,
    functionNames,
    sleepable,
    symbols,
    notes: new Map(linked.core.filter((each) => each.poisoned).map((each) => [each.insn, each.message])),
  };
}

function fillMapsOfMaps(spec: CollectionSpec, maps: ReadonlyMap<string, BpfMap>): void {
  for (const { map: name, index, inner } of spec.mapSlots) {
    const map = maps.get(name);
    const target = maps.get(inner);
    if (map === undefined || !isMapOfMaps(map) || target === undefined) continue;
    const result = map.setMap(
      Uint8Array.of(index & 0xff, (index >>> 8) & 0xff, (index >>> 16) & 0xff, index >>> 24),
      target,
    );
    if (result !== 0) {
      throw new BpfError(errnoName(result) ?? 'EINVAL', `map ${inner} does not fit slot ${index} of ${name}`, {
        value: inner,
        remedy: 'give it the parameters of the inner map in its definition, and max_entries room for the index',
      });
    }
  }
}

/** Programs that are not loaded leave their slot empty, as in libbpf. */
function fillProgramArrays(
  spec: CollectionSpec,
  maps: ReadonlyMap<string, BpfMap>,
  programs: ReadonlyMap<string, CollectionProgram>,
): void {
  for (const { map: name, index, program } of spec.programSlots) {
    const map = maps.get(name);
    const target = programs.get(program)?.program;
    if (!(map instanceof ProgArrayMap) || target === undefined) continue;
    const result = map.setProgram(index, target);
    if (result !== 0)
      throw new BpfError(errnoName(result) ?? 'EINVAL', `program ${program} does not fit slot ${index} of ${name}`);
  }
}

/** Program arrays are emptied first: a program in one may refer to that very array. */
function releaseAll(maps: ReadonlyMap<string, BpfMap>, programs: ReadonlyMap<string, CollectionProgram>): void {
  for (const map of maps.values()) if (map instanceof ProgArrayMap) empty(map);
  for (const { program } of programs.values()) program.release();
  for (const map of maps.values()) map.release();
}

function empty(map: BpfMap): void {
  for (let key = map.sysNextKey(null); typeof key !== 'number'; key = map.sysNextKey(key)) map.sysDelete(key);
}

const KEY_ZERO = new Uint8Array(4);

function storageOf(variable: GlobalVariable, maps: ReadonlyMap<string, BpfMap>): VariableStorage {
  const map = maps.get(variable.map) as BpfMap;
  const value = (): Uint8Array => {
    const bytes = map.sysLookup(KEY_ZERO);
    if (typeof bytes === 'number')
      throw new BpfError(errnoName(bytes) ?? 'EINVAL', `reading variable ${variable.name}`);
    return bytes;
  };
  return {
    read: (offset, size) => value().slice(offset, offset + size),
    write: (offset, bytes) => {
      const changed = value();
      changed.set(bytes, offset);
      const result = map.sysUpdate(KEY_ZERO, changed);
      if (result !== 0) throw readOnly(variable, result);
    },
  };
}

function readOnly(variable: GlobalVariable, errno: number): BpfError {
  return new BpfError(errnoName(errno) ?? 'EINVAL', `setting variable ${variable.name}`, {
    section: variable.map,
    remedy: variable.constant
      ? 'constants are fixed by loading; set them in the CollectionSpec'
      : 'the map does not take it',
  });
}
