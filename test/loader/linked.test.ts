import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBtf } from '../../src/btf/index.js';
import { parseKallsyms } from '../../src/host/index.js';
import { recording } from '../oracle/golden.js';
import { describeWithLibbpf } from '../oracle/libbpf.js';
import { linkedLines } from './linked-lines.js';
import { btfPath, objectFiles, objectFolder, readBtf, sourceOf } from './objects.js';

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
    expect(linkedLines(file, btf)).toEqual(expected.get(file));
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
    const actual = objectFiles.flatMap((file) => linkedLines(file, btf, kallsyms));
    console.log(`libbpf ${libbpf.version}: ${expected.length} programs of ${objectFiles.length} objects compared`);
    expect(actual).toEqual(expected);
  });
});
