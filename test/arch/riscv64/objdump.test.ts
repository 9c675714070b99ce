import { expect, it } from 'vitest';
import { assembledCode, textOfWords } from '../../oracle/assembled-code.js';
import { compiledCode } from '../../oracle/compiled-code.js';
import { describeWith } from '../../oracle/describe-with.js';
import { objdump, type Objdump, type ObjdumpInsn } from '../../oracle/objdump.js';
import { Random } from '../../host/sim/random.js';
import type { Comparison } from '../against-tool.js';
import { compareRiscv, expectNoDifferences, NO_ALIASES } from './compare-riscv.js';

/** Instructions of each file; without a number what takes seconds. */
const CASES = Number(process.env['KSCOPE_CASES'] ?? 30_000);
const FULL = process.env['KSCOPE_CASES'] !== undefined;
const LEVELS = FULL ? ['-O0', '-O1', '-O2', '-O3', '-Os'] : ['-O2'];
const GENERATED = { seed: 1, functions: FULL ? 200 : 60, floats: true };
const LIBC = '/usr/riscv64-linux-gnu/lib/libc.a';

const TARGET = 'riscv64-unknown-elf';
const RV64GC = ['-march=rv64gc'];
const EVERYTHING =
  '--mattr=+zicbom,+zicboz,+zicbop,+zihintpause,+svinval,+h,+zawrs,+zba,+zbb,+zbs,+zfh,+v,+zacas,+zabha,+zimop,+smrnmi';

/** All that are of two bytes. */
function* everyCompressed(): Generator<number> {
  for (let c = 0; c < 2 ** 16; c++) if ((c & 3) !== 3) yield c;
}

/** Opcode, funct3, funct7 and the field of rs2, which tells some instructions apart; the other operands at random. */
function* everyOpcode(): Generator<number> {
  const random = new Random(23);
  for (let opcode = 3; opcode < 128; opcode += 4) {
    if ((opcode & 0x1c) === 0x1c) continue;
    for (let code = 0; code < 2 ** 10; code++) {
      for (const rs2 of [0, 1, 2, 5, random.below(32)]) {
        // With no other operands: there some have a meaning of their own.
        const operands = rs2 === random.below(32) ? 0 : random.word() & 0xf_8f80;
        yield ((code >> 3) << 25) | (rs2 << 20) | ((code & 7) << 12) | operands | opcode;
        yield ((code >> 3) << 25) | (rs2 << 20) | ((code & 7) << 12) | opcode;
      }
    }
  }
}

function compare(listing: AsyncIterable<readonly ObjdumpInsn[]>): Promise<Comparison> {
  return compareRiscv(listing, CASES);
}

const gnu = objdump('riscv64-linux-gnu-objdump');
const llvm = objdump('llvm-objdump-19');

describeWith('riscv64 code against GNU objdump', gnu, (tool: Objdump) => {
  it("the C library's", async () => {
    const made = await compare(tool.disassemble(LIBC, { extra: NO_ALIASES }));
    expectNoDifferences(made, Math.min(CASES, 250_000));
    expect(made.classes).toMatchObject({ 'load-reserved': expect.any(Number), ecall: expect.any(Number) });
  });

  for (const level of LEVELS) {
    const code = compiledCode('riscv64-linux-gnu-gcc', ['-march=rv64gc', level], GENERATED);
    describeWith(`generated C, gcc ${level}`, code, ({ path }) => {
      it('has no differences', async () => {
        expectNoDifferences(await compare(tool.disassemble(path, { extra: NO_ALIASES })), FULL ? 30_000 : 10_000);
      });
    });
  }
});

describeWith('riscv64 code against LLVM', llvm, (tool: Objdump) => {
  for (const level of LEVELS) {
    const code = compiledCode('clang-19', ['--target=riscv64-unknown-elf', '-march=rv64gc', level], GENERATED);
    describeWith(`generated C, clang ${level}`, code, ({ path }) => {
      it('has no differences', async () => {
        expectNoDifferences(await compare(tool.disassemble(path, { extra: NO_ALIASES })), FULL ? 30_000 : 9000);
      });
    });
  }

  const compressed = assembledCode(TARGET, RV64GC, textOfWords(everyCompressed(), 2));
  describeWith('all compressed instructions', compressed, ({ path }) => {
    it('are decoded as they should', async () => {
      const made = await compareRiscv(tool.disassemble(path, { extra: NO_ALIASES }));
      expect(made.lengthDifferences).toEqual([]);
      expect(made.classDifferences).toEqual([]);
      expect(made.count).toBe(3 * 2 ** 14);
    });
  });

  const opcodes = assembledCode(TARGET, RV64GC, textOfWords(everyOpcode(), 4));
  describeWith('every opcode with every function code', opcodes, ({ path }) => {
    it('has the class of its mnemonic', async () => {
      const extra = [...NO_ALIASES, EVERYTHING];
      const made = await compareRiscv(tool.disassemble(path, { extra }));
      expect(made.lengthDifferences).toEqual([]);
      expect(made.classDifferences).toEqual([]);
      expect(made.count).toBeGreaterThan(28 * 2 ** 12);
    });
  });
});
