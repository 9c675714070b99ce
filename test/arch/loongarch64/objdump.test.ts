import { expect, it } from 'vitest';
import { classifyLoongArch, loongarch64 } from '../../../src/arch/index.js';
import { assembledCode, textOfWords } from '../../oracle/assembled-code.js';
import { compiledCode } from '../../oracle/compiled-code.js';
import { describeWith } from '../../oracle/describe-with.js';
import { objdump, type Objdump } from '../../oracle/objdump.js';
import { Random } from '../../host/sim/random.js';
import { compareWithTool, type Decoded } from '../against-tool.js';
import { classOfText } from './class-of-text.js';

/** Without a number what takes seconds. */
const FULL = process.env['KSCOPE_CASES'] !== undefined;
const LEVELS = FULL ? ['-O0', '-O1', '-O2', '-O3', '-Os'] : ['-O0', '-O2'];
const GENERATED = { seed: 2, functions: FULL ? 200 : 60, floats: true };
const CLASSES =
  'other pc-relative jump jirl branch float-branch load-linked store-conditional amo break syscall call idle csr system'.split(
    ' ',
  );
const EVERYTHING = '--mattr=+f,+d,+lsx,+lasx,+lvz,+lbt';

function decode(bytes: Uint8Array): Decoded {
  const word = new DataView(bytes.buffer).getInt32(0, true);
  return { length: loongarch64.probing.insnLength(bytes, 0), class: classifyLoongArch(word) };
}

const OPCODES = 2 ** 17;

/** What no compiler emits is among these, too: each opcode with operands of its own. */
function* everyOpcode(): Generator<number> {
  const random = new Random(17);
  for (let opcode = 0; opcode < OPCODES; opcode++) yield (opcode << 15) | (random.word() & 0x7fff);
}

describeWith('loongarch64 code against LLVM', objdump('llvm-objdump-19'), (tool: Objdump) => {
  for (const level of LEVELS) {
    const code = compiledCode('clang-19', ['--target=loongarch64-unknown-none', level], GENERATED);
    describeWith(`generated C, clang ${level}`, code, ({ path }) => {
      it('has no differences', async () => {
        const listing = tool.disassemble(path, { extra: [EVERYTHING] });
        const made = await compareWithTool(listing, decode, classOfText);
        console.log(`${made.count} instructions, ${made.undecoded} the tool shows as bytes only`);
        expect(made.lengthDifferences).toEqual([]);
        expect(made.classDifferences).toEqual([]);
        expect(made.count).toBeGreaterThan(FULL ? 30_000 : 8000);
        expect(made.undecoded).toBe(0);
        expect(made.classes).toMatchObject({ branch: expect.any(Number), jirl: expect.any(Number) });
      });
    });
  }

  const every = assembledCode('loongarch64-unknown-none', [], textOfWords(everyOpcode(), 4));
  describeWith('every opcode of seventeen bits', every, ({ path }) => {
    it('has the class of its mnemonic', async () => {
      const made = await compareWithTool(tool.disassemble(path, { extra: [EVERYTHING] }), decode, classOfText);
      expect(made.classDifferences).toEqual([]);
      expect(made.lengthDifferences).toEqual([]);
      expect(made.count).toBe(OPCODES);
      expect(Object.keys(made.classes).toSorted()).toEqual(CLASSES.toSorted());
    });
  });
});
