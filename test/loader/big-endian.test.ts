import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Collection, CollectionSpec, linkProgram } from '../../src/loader/index.js';
import { BpfRuntime } from '../../src/runtime/index.js';
import { TestHost } from '../support/test-host.js';
import { objectFolder, parseObject, readBtf } from './objects.js';

/** The same sources compiled for a big-endian machine: other bytes, the same program. */
const bigEndian = (source: string): CollectionSpec =>
  CollectionSpec.parse(readFileSync(`${objectFolder}big-endian/${source}.o`));

describe('a big-endian object', () => {
  it('has the same maps, variables and initial values', () => {
    const [big, little] = [bigEndian('data'), parseObject('data-clang-19-v3.o')];
    expect(big.maps.map(({ name, valueSize }) => [name, valueSize])).toEqual(
      little.maps.map(({ name, valueSize }) => [name, valueSize]),
    );
    for (const [name, variable] of little.variables)
      expect([name, big.variables.get(name)?.get()]).toEqual([name, variable.get()]);
    expect(big.license).toBe('GPL');
  });

  it.each(['reads', 'writes'])('has the same instructions in %s', (name) => {
    const [big, little] = [bigEndian('data'), parseObject('data-clang-19-v3.o')];
    expect(linkProgram(big, name, { btf: null }).insns).toEqual(linkProgram(little, name, { btf: null }).insns);
  });

  it('has its functions linked in the same order', () => {
    const names = (spec: CollectionSpec): string[] => [
      ...linkProgram(spec, 'second', { btf: readBtf('linux-min') }).functionNames.values(),
    ];
    expect(names(bigEndian('subprograms'))).toEqual(names(parseObject('subprograms-clang-19-v3.o')));
    expect(bigEndian('subprograms').kernelVersion).toBe(0x060100);
  });

  it('is refused where it would run', () => {
    const load = (): Collection => Collection.load(bigEndian('data'), new BpfRuntime(new TestHost()));
    expect(load).toThrow(
      /byte order.*\[section ELF file, offset 5 \(0x5\), value big-endian\]: EINVAL; .*-target bpfel/,
    );
  });

  it('finds bit-fields from the other end', () => {
    const { core } = linkProgram(bigEndian('laid_out'), 'fields', { btf: readBtf('target-big-endian') });
    const shift = core.find(({ kind, access }) => kind === 'field_lshift_u64' && access === '.packed_bits');
    // The 11 bits follow 3 others from the top of a 32-bit load, whose top is bit 32 of the register.
    expect(shift?.value).toBe(35n);
  });
});
