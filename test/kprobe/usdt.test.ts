import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Arch, arm64, PtRegs, riscv64, x86_64 } from '../../src/arch/index.js';
import { u64 } from '../../src/base/index.js';
import type { HostMemory } from '../../src/host/index.js';
import {
  ElfImage,
  encodeUsdtSpec,
  parseUsdtArg,
  readUsdtArg,
  readUsdtNotes,
  type UsdtNote,
} from '../../src/kprobe/index.js';

const ARCHES: readonly (readonly [string, Arch])[] = [
  ['x86_64', x86_64],
  ['aarch64', arm64],
  ['riscv64', riscv64],
];

function imageOf(arch: string): ElfImage {
  const name = `test/testdata/usdt/probes.${arch}.elf`;
  return new ElfImage(readFileSync(name), name);
}

/** A note as readelf -n prints it. */
function asReadelf({ provider, name, pc, semaphore, args }: UsdtNote): string {
  const hex = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;
  return `Provider: ${provider} Name: ${name} Location: ${hex(pc)} Semaphore: ${hex(semaphore)} Arguments: ${args.join(' ')}`;
}

describe.each(ARCHES)('USDT probes of a program for %s', (name, arch) => {
  const image = imageOf(name);
  const notes = readUsdtNotes(image);

  it('are those that readelf finds', () => {
    const golden = readFileSync(`test/testdata/usdt/probes.${name}.txt`, 'utf8')
      .replaceAll(/.*(?=Provider:)/g, '')
      .replaceAll(/, Base: \S+(?=, Sem)/g, '')
      .split(/(?=Provider:)/)
      .map((text) => text.replaceAll(/\s+/g, ' ').replace(', Semaphore', ' Semaphore').trim());
    expect(notes.map((note) => asReadelf(note).trim())).toEqual(golden);
  });

  it('stand at instructions of the file, their semaphores in its data', () => {
    const work = image.symbols().find((symbol) => symbol.name === 'work');
    for (const { pc, semaphore } of notes) {
      expect(pc >= (work?.address ?? 0n) && pc < (work?.address ?? 0n) + (work?.size ?? 0n)).toBe(true);
      expect(image.offsetOf(pc)).toBeGreaterThan(0);
      if (semaphore !== 0n) expect(semaphore).toBe(image.symbols().find((s) => s.name === 'on_semaphore')?.address);
    }
  });

  it('have arguments of every kind', () => {
    const kinds = notes.map(({ args }) => args.map((text) => parseUsdtArg(text, arch)));
    expect(kinds.map((list) => list.map(({ kind, size, signed }) => `${kind} ${signed ? -size : size}`))).toEqual([
      ['reg -4', 'reg 1', 'reg 8'],
      ['deref -2', 'deref -8', 'const 4'],
      [],
    ]);
  });
});

describe('an argument', () => {
  const memory = { readUser: readPattern } as unknown as HostMemory;

  it.each<[Arch, string, string, bigint, bigint | undefined]>([
    [x86_64, '-4@%eax', 'ax', 0xffff_ffff_8000_0000n, -0x8000_0000n],
    [x86_64, '4@%eax', 'ax', 0xffff_ffff_8000_0000n, 0x8000_0000n],
    [x86_64, '-1@%sil', 'si', 0x1ffn, -1n],
    [x86_64, '2@%r10w', 'r10', 0x12_3456n, 0x3456n],
    [x86_64, '8@%rbx', 'bx', 5n, 5n],
    [x86_64, '1@%cl', 'cx', 0x1234n, 0x34n],
    [x86_64, '-8@$-7', 'ax', 0n, -7n],
    [x86_64, '4@$0x10', 'ax', 0n, 16n],
    [x86_64, '8@16(%rsp)', 'sp', 0x1000n, 0x1716_1514_1312_1110n],
    [x86_64, '2@(%rdi)', 'di', 0x1003n, 0x0403n],
    [x86_64, '-1@-0x8(%rbp)', 'bp', 0x1088n, -128n],
    [x86_64, '4@-4(%rip)', 'ip', 0x1004n, 0x0302_0100n],
    [x86_64, '4@(%rdi)', 'di', 0x9000n, undefined],
    [arm64, '-4@w', 'x0', 0n, 0n],
    [arm64, '8@x21', 'x21', 9n, 9n],
    [arm64, '-2@[x3]', 'x3', 0x1000n, 0x0100n],
    [arm64, '4@[sp, 8]', 'sp', 0x1000n, 0x0b0a_0908n],
    [arm64, '4@[sp,-4]', 'sp', 0x1008n, 0x0706_0504n],
    [arm64, '4@42', 'x0', 0n, 42n],
    [riscv64, '-4@a5', 'a5', 0xffff_ffffn, -1n],
    [riscv64, '8@-16(s0)', 's0', 0x1010n, 0x0706_0504_0302_0100n],
    [riscv64, '1@-3', 'a0', 0n, 0xfdn],
  ])('%o: %s', (arch, text, register, value, expected) => {
    if (text === '-4@w') return expect(() => parseUsdtArg(text, arch)).toThrow(/no register w/);
    const regs = new PtRegs(arch.ptRegs);
    regs.put(regs.slot(register), value);
    expect(readUsdtArg(parseUsdtArg(text, arch), regs, memory)).toBe(expected);
  });

  it.each([
    ['3@%eax', /SIZE@OPERAND/],
    ['4%eax', /SIZE@OPERAND/],
    ['4@', /SIZE@OPERAND/],
    ['4@%xmm0', /no register xmm0/],
    ['4@symbol(%rip)', /SIZE@OPERAND/],
  ])('%s is refused by what stands there', (text, message) => {
    expect(() => parseUsdtArg(text, x86_64)).toThrow(message);
    expect(() => parseUsdtArg(text, x86_64)).toThrow(text);
  });

  it('compiles to the struct that libbpf’s bpf_usdt_arg reads', () => {
    const args = ['-4@%eax', '8@-16(%rbp)', '1@$7'].map((text) => parseUsdtArg(text, x86_64));
    const spec = encodeUsdtSpec(args, 0x1122n, true);
    const view = new DataView(spec.buffer);
    expect(spec).toHaveLength(208);
    const fields = [0, 1, 2].map((i) => [
      view.getBigInt64(16 * i, true),
      view.getUint32(16 * i + 8, true),
      view.getInt16(16 * i + 12, true),
      view.getUint8(16 * i + 14),
      view.getInt8(16 * i + 15),
    ]);
    // value, type, offset in pt_regs, signed, shift
    expect(fields).toEqual([
      [0n, 1, 80, 1, 32],
      [-16n, 2, 32, 0, 0],
      [7n, 0, 0, 0, 56],
    ]);
    expect([view.getBigUint64(192, true), view.getInt16(200, true)]).toEqual([0x1122n, 3]);
    expect(() =>
      encodeUsdtSpec(
        Array.from({ length: 13 }, () => args[0]),
        0n,
        true,
      ),
    ).toThrow(/E2BIG/);
  });
});

/** Byte n of page 0x1000 is n; nothing else is there. */
function readPattern(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean {
  const address = Number(u64(lo, hi));
  if (address < 0x1000 || address + length > 0x1100) return false;
  for (let i = 0; i < length; i++) dst[offset + i] = (address + i) & 0xff;
  return true;
}
