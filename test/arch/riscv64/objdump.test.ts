import { expect, it } from 'vitest';
import { decodeRiscvInsn, RiscvInsn } from '../../../src/arch/index.js';
import { compiledCode } from '../../oracle/compiled-code.js';
import { debianKernel } from '../../oracle/debian-kernel.js';
import { describeWith, type Unavailable } from '../../oracle/describe-with.js';
import { objdump, type Objdump, type ObjdumpInsn } from '../../oracle/objdump.js';
import { compareWithTool, type Comparison, type Decoded } from '../against-tool.js';
import { classOfText } from './class-of-text.js';

/** Instructions of each file; without a number what takes seconds. */
const CASES = Number(process.env['KSCOPE_CASES'] ?? 30_000);
const FULL = process.env['KSCOPE_CASES'] !== undefined;
const LEVELS = FULL ? ['-O0', '-O1', '-O2', '-O3', '-Os'] : ['-O2'];
const GENERATED = { seed: 1, functions: FULL ? 200 : 60, floats: true };
const LIBC = '/usr/riscv64-linux-gnu/lib/libc.a';
const NO_ALIASES = ['-M', 'no-aliases'];

const insn = new RiscvInsn();
const decode = (bytes: Uint8Array): Decoded => decodeRiscvInsn(bytes, 0, insn) ?? { length: 0, class: 'none' };

function compare(listing: AsyncIterable<readonly ObjdumpInsn[]>): Promise<Comparison> {
  return compareWithTool(listing, decode, classOfText, CASES);
}

function expectNoDifferences(made: Comparison, atLeast: number): void {
  console.log(`${made.count} instructions, ${made.short} compressed, ${made.undecoded} the tool shows as bytes only`);
  expect(made.lengthDifferences).toEqual([]);
  expect(made.classDifferences).toEqual([]);
  expect(made.count).toBeGreaterThanOrEqual(atLeast);
  expect(made.short).toBeGreaterThan(made.count / 10);
}

function both<A extends object, B extends object>(a: A | Unavailable, b: B | Unavailable): [A, B] | Unavailable {
  if ('unavailable' in a) return a;
  if ('unavailable' in b) return b;
  return [a, b] as [A, B];
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
});

describeWith("Debian's riscv64 kernel against GNU objdump", both(gnu, debianKernel('riscv64')), ([tool, kernel]) => {
  it('has no differences', async () => {
    // Its text, as far as the longest run without data: behind the header, before the init sections.
    const range = ['--start-address=0x2000', '--stop-address=0x900000'];
    const raw = ['-D', '-b', 'binary', '-m', 'riscv:rv64'];
    const made = await compare(tool.disassemble(kernel.path, { extra: [...raw, ...NO_ALIASES, ...range] }));
    expectNoDifferences(made, Math.min(CASES, 3_000_000));
  });
});
