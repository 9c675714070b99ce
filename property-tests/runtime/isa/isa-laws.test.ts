import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assemble,
  AssemblyError,
  decodeInsns,
  disassemble,
  disassembleInsn,
  encodeInsns,
  formOf,
  INSN_FORMS,
  insn,
  LDIMM64,
  ldImm64,
  type Insn,
} from '../../../src/runtime/isa/index.js';
import { anyInsn, insnOf } from './arbitraries.js';

describe('codec', () => {
  it('decoding inverts encoding, in both byte orders', () => {
    fc.assert(
      fc.property(fc.array(anyInsn), fc.boolean(), (insns, littleEndian) => {
        expect(decodeInsns(encodeInsns(insns, littleEndian), littleEndian)).toEqual(insns);
      }),
    );
  });

  it('encoding inverts decoding of any bytes', () => {
    const slots = fc.uint8Array({ minLength: 0, maxLength: 80 }).map((bytes) => bytes.slice(0, bytes.length & ~7));
    fc.assert(
      fc.property(slots, fc.boolean(), (bytes, littleEndian) => {
        expect(encodeInsns(decodeInsns(bytes, littleEndian), littleEndian)).toEqual(bytes);
      }),
    );
  });
});

describe('instruction forms', () => {
  it('names are unique, and no instruction has two forms', () => {
    expect(new Set(INSN_FORMS.map((form) => form.name)).size).toBe(INSN_FORMS.length);
    const any = fc.constantFrom(...INSN_FORMS).chain((form) => fc.tuple(fc.constant(form), insnOf(form)));
    fc.assert(
      fc.property(any, ([form, one]) => formOf(one) === form),
      { numRuns: 2000 },
    );
  });
});

/** All forms whose text says everything: see the assembler's own test. */
const unambiguous = INSN_FORMS.filter(({ name }) => !/^ld_(map|btf|func)|^call_kfunc$|^exit$/.test(name));

const wholeInsn: fc.Arbitrary<Insn[]> = fc
  .constantFrom(...unambiguous)
  .chain(insnOf)
  .chain((one) =>
    one.code === LDIMM64
      ? fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value): Insn[] => ldImm64(one.dst, value))
      : fc.constant([one]),
  );

describe('disassembler and assembler', () => {
  it('any slot has a text', () => {
    fc.assert(
      fc.property(anyInsn, (one) => disassembleInsn([one], 0).length > 0),
      { numRuns: 2000 },
    );
  });

  it('assembling the text of a program gives the program', () => {
    fc.assert(
      fc.property(fc.array(wholeInsn, { maxLength: 20 }), (parts) => {
        const program = parts.flat();
        const text = disassemble(program).map((line) => line.text);
        expect(assemble(text.join('\n'))).toEqual(program);
      }),
      { numRuns: 500 },
    );
  });

  const vocabulary = `
    r1 r10 w2 r11 = + - * / s > < & | ^ % != ( ) [ ] u8 u64 s32 if goto gotol may_goto call callx
    exit lock ll skb map func .value pc be16 bswap64 atomic_fetch_add xchg_64 cmpxchg_64
    load_acquire store_release addr_space_cast ld_pseudo , : ; // # /* */ 0 1 -1 0x10 017 'a' 1b 1f
    L L: ~ (b7) (18) 4294967296 #5 unknown`;
  const words = fc.constantFrom('\n', ...vocabulary.trim().split(/\s+/));

  it.each([
    ['any text', fc.string({ unit: 'binary', maxLength: 60 })],
    ['any words of the language', fc.array(words, { maxLength: 25 }).map((list) => list.join(' '))],
    ['words run together', fc.array(words, { maxLength: 12 }).map((list) => list.join(''))],
  ])('assembling %s gives instructions or an AssemblyError', (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        try {
          expect(decodeInsns(encodeInsns(assemble(text)))).toEqual(assemble(text));
        } catch (error) {
          if (!(error instanceof AssemblyError)) throw error;
          expect(text.split('\n')[error.line - 1]?.slice(error.column - 1) ?? '').toContain(error.token);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('assembling a statement with one character changed gives instructions or an AssemblyError', () => {
    const damaged = fc
      .tuple(wholeInsn, fc.nat(40), fc.string({ unit: 'grapheme-ascii', minLength: 0, maxLength: 2 }))
      .map(([one, at, by]) => {
        const text = disassembleInsn(one, 0);
        const place = at % text.length;
        return text.slice(0, place) + by + text.slice(place + 1);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        try {
          for (const one of assemble(text)) expect(insn(one.code, one.dst, one.src, one.off, one.imm)).toEqual(one);
        } catch (error) {
          if (!(error instanceof AssemblyError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});
