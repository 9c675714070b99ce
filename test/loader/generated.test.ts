import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { BpfError, toHex } from '../../src/base/index.js';
import { type Btf, parseBtf } from '../../src/btf/index.js';
import { parseKallsyms, type SymbolTable } from '../../src/host/index.js';
import { Collection, CollectionSpec, dumpLinked, StructOpsSpec } from '../../src/loader/index.js';
import { kconfigContents } from '../../src/loader/kconfig.js';
import { BpfRuntime, type MapSpec } from '../../src/runtime/index.js';
import { compileObjects, type CompiledObjects } from '../oracle/compiled-objects.js';
import { describeWithLibbpf } from '../oracle/libbpf.js';
import { TestHost } from '../support/test-host.js';
import { dataSources, externSources, KCONFIG, mapSources, sectionSources, tableSources } from './generated-sources.js';

const groups = {
  sections: sectionSources,
  tables: tableSources,
  maps: mapSources,
  externs: externSources,
  data: dataSources,
};
const sources = Object.values(groups).flat();

/** A map as libbpf-open prints it. */
function mapRecord(map: MapSpec): object {
  const pin = map.pinning === 'by_name' ? { pin: `/sys/fs/bpf/${map.name}` } : {};
  const inner = map.innerMap === undefined ? {} : { inner: parametersOf(map.innerMap) };
  return { map: map.name, ...parametersOf(map), ...pin, ...inner };
}

function parametersOf(map: MapSpec): object {
  const { type, keySize, valueSize, maxEntries, flags, keyTypeId, valueTypeId, mapExtra = 0n, numaNode = 0 } = map;
  return { type, keySize, valueSize, maxEntries, flags, extra: Number(mapExtra), numaNode, keyTypeId, valueTypeId };
}

const VMLINUX = '/sys/kernel/btf/vmlinux';

/** The running kernel's types and symbols, read once. */
let known: { readonly btf: Btf; readonly kallsyms: SymbolTable } | undefined;
function kernel(): NonNullable<typeof known> {
  known ??= {
    btf: parseBtf(readFileSync(VMLINUX)),
    kallsyms: parseKallsyms(readFileSync('/proc/kallsyms', 'utf8')),
  };
  return known;
}

/** The version that libbpf finds is the running kernel's. */
function kconfigOf(spec: CollectionSpec): Uint8Array {
  const [major, minor, patch] = release().split(/[.-]/).map(Number);
  const version = (major << 16) | (minor << 8) | Math.min(patch, 255);
  return kconfigContents(spec, { values: { LINUX_KERNEL_VERSION: version }, texts: [KCONFIG] });
}

function orError(file: string, records: () => object[]): object[] {
  try {
    return records();
  } catch (error) {
    if (error instanceof BpfError) return [{ file, error: true }];
    throw error;
  }
}

/** The programs of a table of functions, by the offset of their members. */
function tableRecord({ btf }: CollectionSpec, map: MapSpec): object {
  if (!(map instanceof StructOpsSpec) || btf === null) return {};
  const offsetOf = (member: string): number => (btf.member(map.valueTypeId, member)?.bitOffset ?? 0) / 8;
  const placed = [...map.programs].map(([member, program]) => [offsetOf(member), program] as const);
  return { programs: placed.toSorted(([a], [b]) => a - b) };
}

/** What libbpf-open prints of an object, as kscope reads it. */
function openRecords(spec: CollectionSpec, file: string): object[] {
  return [
    { file },
    ...spec.maps.map((map) => {
      const bytes = map.contents ?? new Uint8Array(0);
      const isData = /^\.(data|rodata|bss|kconfig)/.test(map.name) || map instanceof StructOpsSpec;
      const contents = map.name === '.kconfig' ? kconfigOf(spec) : bytes;
      return {
        ...mapRecord(map),
        ...tableRecord(spec, map),
        ...(isData ? { contents: toHex(contents).padEnd(2 * map.valueSize, '0') } : {}),
      };
    }),
    ...spec.programs.map(({ name, section, type, expectedAttachType, autoload }) => ({
      program: name,
      section,
      type,
      expectedAttachType,
      autoload,
    })),
  ];
}

describeWithLibbpf('objects made for the tests', (libbpf) => {
  let objects: CompiledObjects;
  beforeAll(async () => {
    const compiled = await compileObjects(sources);
    if (compiled === undefined) throw new Error('clang-19 is not installed');
    objects = compiled;
  }, 120_000);

  const read = (file: string): Uint8Array => readFileSync(join(objects.folder, file));

  it('have each kind of section, map definition and extern, more than 150 with the committed ones aside', () => {
    expect(sources.length).toBeGreaterThan(150);
    expect(new Set(sources.map(({ name }) => name)).size).toBe(sources.length);
  });

  const isExtern = (file: string): boolean => file.startsWith('extern');
  const byName = (records: readonly object[]): string[] => records.map((each) => JSON.stringify(each)).toSorted();
  /** Objects of which libbpf says something else. */
  function differences(
    files: readonly string[],
    answers: readonly object[][],
    ours: (file: string) => object[],
  ): object[] {
    return files
      .map((file, i) => ({ file, ours: byName(orError(file, () => ours(file))), libbpf: byName(answers[i] ?? []) }))
      .filter((each) => JSON.stringify(each.ours) !== JSON.stringify(each.libbpf));
  }

  it('are opened as libbpf opens them: maps, their contents, programs and their types', () => {
    const files = objects.files.filter((file) => !isExtern(file));
    const answers = libbpf.open(objects.folder, files);
    const ours = (file: string): object[] => openRecords(CollectionSpec.parse(read(file)), file);
    console.log(`libbpf ${libbpf.version}: ${files.length} objects opened`);
    expect(differences(files, answers, ours)).toEqual([]);
  });

  it.skipIf(!existsSync(VMLINUX))('have the configuration that libbpf gives them, or are refused with it', () => {
    const files = objects.files.filter((file) => isExtern(file));
    const answers = libbpf.open(objects.folder, files, { kconfig: KCONFIG });
    const ours = (file: string): object[] => {
      const spec = CollectionSpec.parse(read(file));
      kconfigOf(spec);
      dumpLinked(spec, file, kernel());
      return openRecords(spec, file);
    };
    expect(differences(files, answers, ours)).toEqual([]);
  });

  it.skipIf(!existsSync(VMLINUX))('are linked as libbpf links them, instruction by instruction', () => {
    const { btf, kallsyms } = kernel();
    const files = objects.files.filter((file) => !NEEDS_A_TARGET.test(file));
    const answers = new Map<string, string[]>();
    for (const line of libbpf.dump(objects.folder, files, null, KCONFIG)) {
      const { file } = JSON.parse(line) as { file: string };
      answers.set(file, [...(answers.get(file) ?? []), line.includes('"error"') ? 'refused' : line]);
    }
    const runtime = new BpfRuntime(Object.assign(new TestHost(), { symbols: kallsyms, btf }));
    const different = files.flatMap((file) => {
      const ours = linkedLines(read(file), file, runtime, { btf, kallsyms });
      const theirs = [...new Set(answers.get(file))].toSorted();
      return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [{ file, ours, theirs }];
    });
    console.log(`libbpf ${libbpf.version}: ${files.length} objects linked`);
    expect(different).toEqual([]);
  });
});

/**
 * libbpf asks for a program to replace, for a struct_ops map, and for a bpffs to pin in; programs of a bare section get
 * their target later.
 */
const NEEDS_A_TARGET =
  /^map_pinned|^table_|^section_(freplace|struct_ops|(fentry|fexit|fmod_ret|tp_btf|iter|lsm|lsm_cgroup)(_s)?-)/;

/** Programs in the form of libbpf-linked, or `refused` where the object cannot be loaded. */
function linkedLines(
  bytes: Uint8Array,
  file: string,
  runtime: BpfRuntime,
  options: ReturnType<typeof kernel>,
): string[] {
  try {
    const spec = CollectionSpec.parse(bytes);
    kconfigOf(spec);
    if (spec.programs.some(({ type }) => type === 0)) Collection.load(spec, runtime, options);
    return dumpLinked(spec, file, options)
      .map((record) => JSON.stringify(record))
      .toSorted();
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return ['refused'];
  }
}
