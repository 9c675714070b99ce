import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeInsn, X86Insn, type X86InsnClass } from '../../../src/arch/index.js';

const here = dirname(fileURLToPath(import.meta.url));

interface ListedInsn {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Instructions as GNU objdump 2.40 shows them: `bytes<TAB>text`. */
function listing(name: string): ListedInsn[] {
  return readFileSync(join(here, '../../testdata/arch', name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [hex, text] = line.split('\t') as [string, string];
      return { bytes: Uint8Array.from(hex.split(' '), (byte) => Number.parseInt(byte, 16)), text };
    });
}

const listings = [
  { bits: 64, golden: listing('x86-64-objdump.txt'), atLeast: 2000 },
  { bits: 32, golden: listing('i386-objdump.txt'), atLeast: 1000 },
] as const;

const padded = (bytes: Uint8Array): Uint8Array => Uint8Array.from([...bytes, ...new Array<number>(16).fill(0x90)]);
const decode = (hex: string): X86Insn | null =>
  decodeInsn(
    Uint8Array.from(hex.split(' '), (byte) => Number.parseInt(byte, 16)),
    0,
  );

describe.each(listings)('lengths of $bits-bit code', ({ bits, golden, atLeast }) => {
  it('agree with objdump for every form of instruction that compilers and libraries contain', () => {
    const insn = new X86Insn();
    const wrong = golden
      .map(({ bytes, text }) => ({
        text,
        expected: bytes.length,
        length: decodeInsn(padded(bytes), 0, insn, bits)?.length ?? 0,
      }))
      .filter(({ expected, length }) => expected !== length);
    expect(wrong).toEqual([]);
    expect(golden.length).toBeGreaterThan(atLeast);
  });

  it('do not depend on what follows, and a truncated instruction is none', () => {
    const insn = new X86Insn();
    for (const { bytes, text } of golden) {
      expect(decodeInsn(bytes, 0, insn, bits)?.length, text).toBe(bytes.length);
      // A prefix of an instruction may be another one only where the bytes cut off are operands of a longer form: never here.
      const cut = decodeInsn(bytes.subarray(0, bytes.length - 1), 0, insn, bits);
      expect(cut, text).toBeNull();
    }
  });
});

describe('lengths', () => {
  it('stop at fifteen bytes', () => {
    expect(decode(`${'66 '.repeat(14)}90`)?.length).toBe(15);
    expect(decode(`${'66 '.repeat(15)}90`)).toBeNull();
  });

  it.each([
    '06',
    '0e',
    '27',
    '37',
    '60',
    '61',
    '62',
    '82 00 00',
    '9a 00 00 00 00 00 00',
    'c4 e0 00 c0',
    'd4 00',
    'd6',
    'ea',
    '0f 04',
    '0f 0a',
    '0f 24 c0',
    '0f 36',
  ])('are null for what 64-bit mode does not have: %s', (hex) => expect(decode(hex)).toBeNull());
});

describe('operands', () => {
  interface Expected extends Partial<Omit<X86Insn, 'class'>> {
    readonly class?: X86InsnClass;
  }
  const rows: [string, string, Expected][] = [
    [
      'mov 0x12345678(%r12,%r9,4),%r15',
      '4f 8b bc 8c 78 56 34 12',
      {
        base: 12,
        index: 9,
        scale: 2,
        disp: 0x12345678,
        dispOffset: 4,
        dispSize: 4,
        reg: 15,
        operandSize: 8,
        memory: true,
      },
    ],
    [
      'mov -1(%rbp),%al',
      '8a 45 ff',
      { base: 5, index: -1, disp: -1, dispOffset: 2, dispSize: 1, reg: 0, operandSize: 1 },
    ],
    ['lea 0x10(%rip),%rdi', '48 8d 3d 10 00 00 00', { ripRelative: true, base: -1, disp: 16, dispOffset: 3, reg: 7 }],
    [
      'movl $1,0x8(%rip)',
      'c7 05 08 00 00 00 01 00 00 00',
      { ripRelative: true, disp: 8, dispOffset: 2, imm: 1, immOffset: 6, immSize: 4 },
    ],
    [
      'movabs $0x8877665544332211,%r10',
      '49 ba 11 22 33 44 55 66 77 88',
      { opcodeReg: 10, imm: 0x44332211, immHi: 0x88776655 | 0, immOffset: 2, immSize: 8 },
    ],
    ['mov 0x10,%eax', '8b 04 25 10 00 00 00', { hasSib: true, base: -1, index: -1, ripRelative: false, disp: 16 }],
    ['mov (%r13),%rax', '49 8b 45 00', { base: 13, disp: 0, dispSize: 1 }],
    ['add $-1,%eax', '83 c0 ff', { imm: -1, immHi: -1, immSize: 1, operandSize: 4, memory: false, rm: 0 }],
    ['lock incl %gs:0x24', 'f0 65 ff 04 25 24 00 00 00', { lock: true, segment: 0x65, class: 'other' }],
    ['mov %cr3,%rax', '0f 20 d8', { class: 'system', mod: 3, reg: 3, rm: 0, operandSize: 8 }],
    ['call', 'e8 fb ff ff ff', { class: 'call-rel', imm: -5, operandSize: 8 }],
    ['call with 66', '66 e8 fb ff ff ff', { class: 'call-rel', imm: -5, length: 6 }],
    ['call *0x8(%rax)', 'ff 50 08', { class: 'call-indirect', operandSize: 8, base: 0, disp: 8 }],
    ['jmp *%rax', 'ff e0', { class: 'jmp-indirect', operandSize: 8, memory: false }],
    ['push (%rax)', 'ff 30', { class: 'push', operandSize: 8 }],
    ['enter', 'c8 10 00 02', { imm: 16, imm2: 2 }],
    ['a REX that is not the last prefix counts for nothing', '48 66 89 c3', { rex: 0, operandSize: 2, length: 4 }],
    ['test', 'f7 c1 78 56 34 12', { imm: 0x12345678 }],
    ['not (the same opcode without an immediate)', 'f7 d1', { immSize: 0, length: 2 }],
  ];
  it.each(rows)('%s', (_name, hex, expected) => expect(decode(hex)).toMatchObject(expected));
});

describe('classes', () => {
  const rows: [X86InsnClass, string][] = [
    ['jcc', '74 05'],
    ['jcc', '0f 85 00 01 00 00'],
    ['jmp-rel', 'eb fe'],
    ['loop', 'e3 00'],
    ['ret', 'c3'],
    ['ret', 'c2 08 00'],
    ['far-transfer', 'cb'],
    ['iret', '48 cf'],
    ['int3', 'cc'],
    ['int', 'cd 80'],
    ['push', '55'],
    ['pop', '41 5f'],
    ['pushf', '9c'],
    ['popf', '9d'],
    ['leave', 'c9'],
    ['interrupt-flag', 'fa'],
    ['hlt', 'f4'],
    ['syscall', '0f 05'],
    ['sysret', '48 0f 07'],
    ['mov-ss', '8e d0'],
    ['system', '0f 01 f8'],
    ['system', '0f 30'],
    ['string', 'f3 48 a5'],
    ['ud', '0f 0b'],
    ['nop', '0f 1f 44 00 00'],
    ['nop', '90'],
    ['other', '48 01 d8'],
    ['other', 'c5 f9 6f c1'],
  ];
  it.each(rows)('%s: %s', (expected, hex) => expect(decode(hex)?.class).toBe(expected));
});
