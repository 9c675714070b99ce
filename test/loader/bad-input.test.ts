import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { CollectionSpec, elfSection, Linker } from '../../src/loader/index.js';
import { ElfBuilder } from '../support/elf-builder.js';
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

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** An object with a global name for two functions. */
function twice(): Uint8Array {
  const builder = new ElfBuilder();
  const code = builder.section('kprobe/f', insns(EXIT, EXIT), { flags: 6 });
  for (const value of [0, 8]) builder.symbol('same', { section: code, value, size: 8, type: 2 });
  return builder.build();
}

const EXIT = [0x95, 0, 0, 0, 0, 0, 0, 0];
const insns = (...each: readonly (readonly number[])[]): Uint8Array => Uint8Array.from(each.flat());

const refused: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
  ['nothing', new Uint8Array(0), /not an ELF file.*offset 0.*give an object file/],
  ['text', new TextEncoder().encode('int main() {}'), /not an ELF file.*value 69 6e 74 20/],
  ['half a header', readObject(FILE).subarray(0, 40), /runs past the end \(40 bytes\)/],
  ['half a file', readObject(FILE).subarray(0, 3000), /runs past the end|truncated/],
  ['a 32-bit file', edited((view) => view.setUint8(4, 1)), /not a 64-bit one.*offset 4.*value 1/],
  ['an unknown byte order', edited((view) => view.setUint8(5, 3)), /unknown byte order.*offset 5/],
  ['an executable', edited((view) => view.setUint16(16, 2, true)), /not relocatable.*offset 16.*value 2/],
  ['x86-64', edited((view) => view.setUint16(18, 62, true)), /not for BPF but for x86-64.*value 62/],
  [
    'an executable of another machine',
    edited((view) => (view.setUint16(16, 2, true), view.setUint16(18, 183, true))),
    /but for AArch64/,
  ],
  ['an unknown machine', edited((view) => view.setUint16(18, 9999, true)), /but for machine 9999/],
  ['an archive of objects', text('!<arch>\nmain.o/  '), /not an ELF file but an archive.*ar x/],
  ['a thin archive', text('!<thin>\nmain.o/  '), /a thin archive/],
  ['bitcode', Uint8Array.of(0x42, 0x43, 0xc0, 0xde, 0, 0, 0, 0), /LLVM bitcode.*llc/],
  ['a compressed object', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0), /compressed with gzip.*unpack/],
  ['a WebAssembly module', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), /a WebAssembly module/],
  ['bare BTF', Uint8Array.of(0x9f, 0xeb, 1, 0, 24, 0, 0, 0), /bare BTF/],
  ['two symbols of one name', twice(), /symbol same is defined twice.*value same/],
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

  it('and what is no bytes is a TypeError that says what is wanted', () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as JavaScript passes them
    for (const bytes of [
      'examples/opensnoop.bpf.o',
      undefined,
      null,
      new ArrayBuffer(64),
    ] as unknown[] as Uint8Array[]) {
      expect(() => CollectionSpec.parse(bytes)).toThrowError(/^an object file is given as its bytes, a Uint8Array/);
    }
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

describe('relocation bombs', () => {
  const CALL = [0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff];

  it('one instruction with many relocations is refused by place', () => {
    const builder = new ElfBuilder();
    const code = builder.section('kprobe/f', insns(CALL, EXIT), { flags: 6 });
    const f = builder.symbol('f', { section: code, size: 16, type: 2 });
    builder.relocations(
      code,
      Array.from({ length: 1000 }, () => [0, 10, f] as const),
    );
    const spec = CollectionSpec.parse(builder.build());
    expect(() => new Linker(spec, { btf: null }).link(spec.programs[0])).toThrow(
      /instruction with two relocations \[section kprobe\/f, offset 0/,
    );
  });

  it('many small programs that call a large function are stopped', () => {
    const builder = new ElfBuilder();
    const nops = new Uint8Array(8 * 200_000);
    for (let i = 0; i < nops.length; i += 8) nops[i] = 0xb7;
    nops.set(EXIT, nops.length - 8);
    const large = builder.section('.text', nops, { flags: 6 });
    const target = builder.symbol('large', { section: large, size: nops.length, type: 2 });
    for (let i = 0; i < 100; i++) {
      const code = builder.section(`kprobe/f${i}`, insns(CALL, EXIT), { flags: 6 });
      builder.symbol(`f${i}`, { section: code, size: 16, type: 2 });
      builder.relocations(code, [[0, 10, target]]);
    }
    const spec = CollectionSpec.parse(builder.build());
    const linker = new Linker(spec, { btf: null });
    expect(() => spec.programs.forEach((program) => void linker.link(program))).toThrow(
      /more than 4194304 instructions together.*E2BIG; the object is a bomb/,
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
