import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { x86_64 } from '../../src/arch/index.js';
import { BpfError } from '../../src/base/index.js';
import { ElfImage, parseUsdtArg, parseUsdtNotes, readUsdtNotes } from '../../src/kprobe/index.js';

const numRuns = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 500);
const elf = readFileSync('test/testdata/usdt/probes.x86_64.elf');

/** What `body` does with bad input: a BpfError at most. */
function answers(body: () => unknown): void {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(BpfError);
  }
}

const damage = fc.array(fc.tuple(fc.nat(elf.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });

it('a damaged program gives its symbols and USDT probes or a BpfError', () => {
  fc.assert(
    fc.property(damage, fc.nat(elf.length), fc.boolean(), (changes, end, cut) => {
      const bytes = Uint8Array.from(elf);
      for (const [at, value] of changes) bytes[at] = value;
      answers(() => {
        const image = new ElfImage(cut ? bytes.subarray(0, end) : bytes, 'damaged');
        answers(() => image.symbols());
        readUsdtNotes(image);
      });
    }),
    { numRuns },
  );
});

it('notes of any bytes are read or refused with a BpfError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), fc.boolean(), (bytes, is64, littleEndian) => {
      answers(() => parseUsdtNotes(bytes, { is64, littleEndian }, 0n));
    }),
    { numRuns },
  );
});

it('arguments of any text are compiled or refused with a BpfError', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^-?[1248]@[-$%()a-z0-9, []{0,12}$/));
  fc.assert(
    fc.property(text, (argument) => answers(() => parseUsdtArg(argument, x86_64))),
    { numRuns },
  );
});
