import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { CollectionSpec, elfSection, Linker } from '../../src/loader/index.js';
import { parseObject, readBtf, readObject } from './objects.js';

const FILE = 'data-clang-19-v3.o';

type Edit = (view: DataView, bytes: Uint8Array) => void;

function edited(edit: Edit, file = FILE): Uint8Array {
  const bytes = Uint8Array.from(readObject(file));
  edit(new DataView(bytes.buffer), bytes);
  return bytes;
}

/** Where the header of a section stands in the file. */
function headerOf(view: DataView, name: string): number {
  const table = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const names = Number(view.getBigUint64(table + view.getUint16(62, true) * 64 + 24, true));
  const bytes = new Uint8Array(view.buffer);
  for (let i = 0; i < count; i++) {
    const at = names + view.getUint32(table + i * 64, true);
    if (new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at))) === name) return table + i * 64;
  }
  throw new Error(`no section ${name}`);
}

const setField =
  (section: string, offset: number, value: bigint): Edit =>
  (view) =>
    view.setBigUint64(headerOf(view, section) + offset, value, true);

const refused: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
  ['nothing', new Uint8Array(0), /not an ELF file.*offset 0.*give an object file/],
  ['text', new TextEncoder().encode('int main() {}'), /not an ELF file.*value 69 6e 74 20/],
  ['half a header', readObject(FILE).subarray(0, 40), /runs past the end \(40 bytes\)/],
  ['half a file', readObject(FILE).subarray(0, 3000), /runs past the end|truncated/],
  ['a 32-bit file', edited((view) => view.setUint8(4, 1)), /not a 64-bit one.*offset 4.*value 1/],
  ['an unknown byte order', edited((view) => view.setUint8(5, 3)), /unknown byte order.*offset 5/],
  ['an executable', edited((view) => view.setUint16(16, 2, true)), /not relocatable.*offset 16.*value 2/],
  ['another machine', edited((view) => view.setUint16(18, 62, true)), /not for BPF.*value 62/],
  ['no sections', edited((view) => view.setUint16(60, 0, true)), /no sections.*offset 60/],
  ['more sections than bytes', edited((view) => view.setUint16(60, 0xff00, true)), /runs past the end/],
  [
    'a section beyond the file',
    edited(setField('.rodata', 32, 0xff_ffffn)),
    /section \d+ runs past the end.*value 16777215/,
  ],
  ['a section beyond any file', edited(setField('.rodata', 32, 1n << 60n)), /size of a section does not fit any file/],
  ['overlapping sections', edited(setField('.rodata', 32, 20000n)), /overlap|runs past the end/],
  [
    'a truncated version',
    edited(setField('version', 32, 3n), 'subprograms-clang-19-v3.o'),
    /version section is not one 32-bit number/,
  ],
  [
    'no symbols',
    edited((view) => view.setUint32(headerOf(view, '.symtab') + 4, 1, true)),
    /no symbol table.*llvm-strip -g/,
  ],
  ['symbols of another size', edited(setField('.symtab', 56, 16n)), /symbols have the wrong size.*value 16/],
  ['corrupt BTF', edited(setField('.BTF', 32, 30n)), /section \.BTF/],
];

describe('a malformed object is refused by place, value and remedy', () => {
  it.each(refused)('%s', (_what, bytes, message) => {
    expect(() => CollectionSpec.parse(bytes)).toThrow(BpfError);
    expect(() => CollectionSpec.parse(bytes)).toThrow(message);
  });

  it('a .bss of 4 GiB takes no memory until it is used', () => {
    const spec = CollectionSpec.parse(edited(setField('.bss', 32, 0xffff_ffffn)));
    expect(spec.map('.bss')).toMatchObject({ valueSize: 0xffff_ffff });
    expect(() => spec.variables.get('sink')?.set(1n)).toThrow(/larger than a map value can be/);
  });
});

describe('code that refers to nothing', () => {
  it('is refused when linked, with its place', () => {
    const corrupt = edited((view) => {
      const rel = Number(view.getBigUint64(headerOf(view, '.relraw_tp/sched_switch') + 24, true));
      view.setBigUint64(rel, 4n, true);
    });
    const spec = CollectionSpec.parse(corrupt);
    const [program] = spec.programs;
    expect(() => new Linker(spec, { btf: null }).link(program)).toThrow(
      /relocation lies outside the code.*section raw_tp\/sched_switch/,
    );
  });

  it('is refused when the relocation is of a type for data', () => {
    const corrupt = edited((view) => {
      const rel = Number(view.getBigUint64(headerOf(view, '.relraw_tp/sched_switch') + 24, true));
      view.setUint32(rel + 8, 2, true);
    });
    const spec = CollectionSpec.parse(corrupt);
    const [program] = spec.programs;
    expect(() => new Linker(spec, { btf: null }).link(program)).toThrow(
      /relocation of a type that code does not have.*value 2/,
    );
  });
});

describe('kernel symbols', () => {
  it('that are weak and absent become calls that tell which extern is missing', () => {
    const spec = parseObject('externs-clang-19-v3.o');
    const functions = spec.program('functions');
    const calls =
      functions &&
      new Linker(spec, { btf: readBtf('target') })
        .link(functions)
        .insns.filter(({ code, imm }) => code === 0x85 && imm >= 2_002_000_000);
    expect(calls?.length).toBe(6);
  });
});

describe('a section of any ELF file', () => {
  it('is found by name', () => {
    expect(elfSection(readObject(FILE), '.BTF')[0]).toBe(0x9f);
    expect(() => elfSection(readObject(FILE), '.nothing')).toThrow(/ENOENT/);
  });
});
