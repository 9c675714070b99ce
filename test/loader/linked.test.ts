import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { type Btf, parseBtf } from '../../src/btf/index.js';
import { parseKallsyms, type SymbolTable } from '../../src/host/index.js';
import { type CollectionSpec, dumpLinked, Linker } from '../../src/loader/index.js';
import { recording } from '../oracle/golden.js';
import { describeWithLibbpf } from '../oracle/libbpf.js';
import { btfPath, objectFiles, objectFolder, parseObject, readBtf, sourceOf } from './objects.js';

/**
 * Linking against libbpf's: the instructions that it hands to the kernel, program by program and byte by byte.
 * Its answers for the committed BTF are kept in test/testdata/loader; KSCOPE_RECORD=1 asks it anew.
 */
const targets = [
  // What the objects ask about, cut out of a Linux 6.18.
  { name: 'linux-min', objects: objectFiles.filter((file) => !['externs', 'configuration'].includes(sourceOf(file))) },
  // Types made to be ambiguous, packed and wide.
  { name: 'target', objects: objectFiles.filter((file) => sourceOf(file) === 'laid_out') },
];

const goldenPath = (target: string): URL => new URL(`../testdata/loader/linked-${target}.jsonl`, import.meta.url);
const golden = (target: string): string[] =>
  readFileSync(goldenPath(target), 'utf8')
    .split('\n')
    .filter((line) => line !== '');

/** One line per program, in the form and order of libbpf-linked. */
function kscopeLines(file: string, btf: Btf, kallsyms?: SymbolTable): string[] {
  const spec = parseObject(file);
  const options = kallsyms === undefined ? { btf } : { btf, kallsyms };
  return inLoadOrder(spec, new Linker(spec, options)).map((name) => {
    try {
      return JSON.stringify(dumpLinked(spec, file, { ...options, programs: [name] })[0]);
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      const section = spec.program(name)?.section;
      return JSON.stringify({ program: name, section, file, error: -error.errno });
    }
  });
}

/** Programs that are loaded by default come first, if all of them link. */
function inLoadOrder(spec: CollectionSpec, linker: Linker): string[] {
  const links = (name: string): boolean => {
    try {
      linker.link(spec.program(name) as CollectionSpec['programs'][number]);
      return true;
    } catch {
      return false;
    }
  };
  const names = spec.programs.map(({ name }) => name);
  const byDefault = spec.programs.filter(({ autoload }) => autoload).map(({ name }) => name);
  return byDefault.every(links) ? [...byDefault, ...names.filter((name) => !byDefault.includes(name))] : names;
}

const byFile = (lines: readonly string[]): Map<string, string[]> => {
  const groups = new Map<string, string[]>();
  for (const line of lines) {
    const { file } = JSON.parse(line) as { file: string };
    groups.set(file, [...(groups.get(file) ?? []), line]);
  }
  return groups;
};

describe.skipIf(recording()).each(targets)('linked for $name', ({ name, objects }) => {
  const btf = readBtf(name);
  const expected = byFile(golden(name));
  it.each(objects)('%s: every instruction is the one libbpf gives', (file) => {
    expect(kscopeLines(file, btf)).toEqual(expected.get(file));
  });
});

describeWithLibbpf('the live libbpf', (libbpf) => {
  it.each(targets)('still gives the recorded instructions for $name', ({ name, objects }) => {
    const lines = libbpf.dump(objectFolder, objects, btfPath(name));
    if (recording()) writeFileSync(goldenPath(name), `${lines.join('\n')}\n`);
    expect(lines).toEqual(golden(name));
  });

  const vmlinux = '/sys/kernel/btf/vmlinux';
  it.skipIf(!existsSync(vmlinux))('agrees on the running kernel, for every object', () => {
    const btf = parseBtf(readFileSync(vmlinux));
    const kallsyms = parseKallsyms(readFileSync('/proc/kallsyms', 'utf8'));
    const expected = libbpf.dump(objectFolder, objectFiles, null, 'CONFIG_HZ=1');
    const actual = objectFiles.flatMap((file) => kscopeLines(file, btf, kallsyms));
    console.log(`libbpf ${libbpf.version}: ${expected.length} programs of ${objectFiles.length} objects compared`);
    expect(actual).toEqual(expected);
  });
});
