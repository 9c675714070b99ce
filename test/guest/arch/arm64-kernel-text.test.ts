import { expect, it } from 'vitest';
import { arm64PtRegs } from '../../../src/arch/index.js';
import type { Btf } from '../../../src/btf/index.js';
import { compareClass, isSimulated, RECORDED_TEXT, type Difference } from '../../arch/arm64/compare-class.js';
import { classByText } from '../../arch/arm64/mnemonic-class.js';
import { debianKernel } from '../../oracle/debian-kernel.js';
import { describeWith, type Unavailable } from '../../oracle/describe-with.js';
import { btfOfImage } from '../../oracle/kernel-btf.js';
import { objdump, type Objdump } from '../../oracle/objdump.js';
import { golden } from '../../support/golden.js';

/** How many words are compared at most; an image has some millions. */
const LIMIT = Number(process.env['KSCOPE_CASES'] ?? 1 << 24);
/** Behind the header of the image. */
const START = 0x1_0000;
const MINUTES = 60_000;

interface KernelText {
  readonly path: string;
  readonly tool: Objdump;
}

function kernelText(): KernelText | Unavailable {
  const kernel = debianKernel('arm64');
  const tool = objdump('aarch64-linux-gnu-objdump');
  if ('unavailable' in kernel) return kernel;
  return 'unavailable' in tool ? tool : { path: kernel.path, tool };
}

/** Calls `visit` for the words of the image in their order, code and data alike. */
async function visitWords(
  { tool, path }: KernelText,
  limit: number,
  visit: (word: number, text: string) => void,
): Promise<number> {
  const range = [`--start-address=${START}`, `--stop-address=${START + 4 * limit}`];
  const extra = ['-D', '-b', 'binary', '-m', 'aarch64', ...range];
  let count = 0;
  for await (const batch of tool.disassemble(path, { extra })) {
    for (const { bytes, text } of batch) visit(Buffer.from(bytes).readUInt32LE(), text);
    count += batch.length;
  }
  return count;
}

describeWith('the text of an arm64 kernel', kernelText(), (text) => {
  it('has the classes that objdump shows by names', { timeout: 10 * MINUTES }, async () => {
    const differences: Difference[] = [];
    const wronglySimulated: string[] = [];
    let undecoded = 0;
    const count = await visitWords(text, LIMIT, (word, shown) => {
      const difference = compareClass(word, shown);
      if (difference !== null && differences.length < 20) differences.push(difference);
      if (!shown.startsWith('.inst')) return;
      undecoded++;
      if (isSimulated(word)) wronglySimulated.push(word.toString(16));
    });
    console.log(`arm64: ${count - undecoded} compared, ${undecoded} that objdump does not decode`);
    expect(differences).toEqual([]);
    expect(wronglySimulated).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(Math.min(LIMIT, 1_000_000));
  });

  it.runIf(process.env['KSCOPE_RECORD'] === '1')('is recorded by mnemonics', { timeout: 10 * MINUTES }, async () => {
    const lines = new Map<string, string[]>();
    await visitWords(text, 1 << 24, (word, shown) => {
      const [name] = shown.split(' ') as [string];
      const key = `${name} ${classByText(shown)} ${name === '.inst' ? word >>> 25 : ''}`;
      const known = lines.get(key) ?? [];
      const line = `${word.toString(16).padStart(8, '0')}\t${shown.split(' //')[0]}`;
      if (known.length < 2) lines.set(key, [...known, line]);
    });
    golden(RECORDED_TEXT, [...lines.values()].flat().toSorted().join('\n'));
  });
});

function kernelBtf(): { readonly btf: Btf } | Unavailable {
  const kernel = debianKernel('arm64');
  if ('unavailable' in kernel) return kernel;
  const btf = btfOfImage(kernel.path);
  return btf === null ? { unavailable: `${kernel.path} holds no BTF` } : { btf };
}

/** `name@offset` of each 64-bit slot of a struct, members of nested ones and of the last of a union's among them. */
function slotsOf(btf: Btf, id: number, base = 0, prefix = ''): string[] {
  const type = btf.resolve(id);
  if (type.kind === 'array') {
    const size = btf.sizeOf(type.elementType);
    return Array.from({ length: type.count }, (_, i) => `${prefix}${i}@${base + i * size}`);
  }
  if (type.kind !== 'struct' && type.kind !== 'union') return [`${prefix}@${base}`];
  const members = type.kind === 'union' ? type.members.slice(-1) : type.members;
  return members.flatMap(({ name, type: member, bitOffset }) =>
    slotsOf(btf, member, base + bitOffset / 8, name === 'regs' ? 'x' : name),
  );
}

describeWith('struct pt_regs of an arm64 kernel', kernelBtf(), ({ btf }) => {
  it('has the size, names and offsets of the layout', () => {
    const [id] = btf.idsByName('pt_regs') as [number];
    // The upper half of the slot of syscallno has a name of its own.
    const slots = slotsOf(btf, id).filter((slot) => !slot.startsWith('unused2@'));
    expect(slots).toEqual(arm64PtRegs.names.map((name, i) => `${name}@${8 * i}`));
    expect(btf.sizeOf(id)).toBe(arm64PtRegs.size);
  });
});
