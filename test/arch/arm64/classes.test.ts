import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { arm64, classifyArm64 } from '../../../src/arch/index.js';
import { debianKernel } from '../../oracle/debian-kernel.js';
import { describeWith } from '../../oracle/describe-with.js';
import { objdump, type Objdump } from '../../oracle/objdump.js';
import { golden } from '../../support/golden.js';
import { classByText } from './mnemonic-class.js';

/** How many instructions of the kernel are compared; its image has 6.8 million words. */
const INSNS = Number(process.env['KSCOPE_INSNS'] ?? 500_000);
const RECORDED = 'arch/arm64-objdump.txt';
/** Behind the header of the image. */
const START = 0x1_0000;

const recorded = readFileSync(new URL(`../../testdata/${RECORDED}`, import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [word, text] = line.split('\t') as [string, string];
    return { word: Number.parseInt(word, 16), text };
  });

interface Difference {
  readonly word: string;
  readonly text: string;
  readonly expected: string;
  readonly found: string;
}

function isSimulated(word: number): boolean {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, word, true);
  return arm64.probing.plan(bytes, 0xffff_8000_0801_0000n).kind === 'simulate';
}

function compare(word: number, text: string): Difference | null {
  const expected = classByText(text);
  const found = classifyArm64(word);
  return expected === null || expected === found ? null : { word: word.toString(16), text, expected, found };
}

/** Calls `visit` for the words of the image in their order, until `limit`. */
async function visitImage(
  tool: Objdump,
  image: string,
  limit: number,
  visit: (word: number, text: string) => void,
): Promise<number> {
  const stop = START + 4 * limit;
  const extra = ['-D', '-b', 'binary', '-m', 'aarch64', `--start-address=${START}`, `--stop-address=${stop}`];
  let count = 0;
  for await (const batch of tool.disassemble(image, { extra })) {
    for (const { bytes, text } of batch) visit(Buffer.from(bytes).readUInt32LE(), text);
    count += batch.length;
  }
  return count;
}

describe('classes by bits', () => {
  it('agree with the text of every mnemonic in a kernel', () => {
    expect(recorded.map(({ word, text }) => compare(word, text)).filter((difference) => difference !== null)).toEqual(
      [],
    );
    expect(recorded.length).toBeGreaterThan(1000);
  });

  it('simulate nothing that objdump shows as undefined', () => {
    const undecoded = recorded.filter(({ text }) => text.startsWith('.inst')).map(({ word }) => word);
    expect(undecoded.filter(isSimulated).map((word) => word.toString(16))).toEqual([]);
    expect(undecoded.length).toBeGreaterThan(100);
  });
});

const kernel = debianKernel('arm64');
const disassembler = objdump('aarch64-linux-gnu-objdump');
const oracle =
  'unavailable' in kernel ? kernel : 'unavailable' in disassembler ? disassembler : { kernel, disassembler };

describeWith('classes of a kernel', oracle, ({ kernel: { path }, disassembler: tool }) => {
  it('agree with the text of each word, code or data', { timeout: 600_000 }, async () => {
    const differences: Difference[] = [];
    const wronglySimulated: string[] = [];
    const count = await visitImage(tool, path, INSNS, (word, text) => {
      const difference = compare(word, text);
      if (difference !== null && differences.length < 20) differences.push(difference);
      if (text.startsWith('.inst') && isSimulated(word)) wronglySimulated.push(word.toString(16));
    });
    expect(differences).toEqual([]);
    expect(wronglySimulated).toEqual([]);
    expect(count).toBeGreaterThan(INSNS * 0.9);
  });

  it.runIf(process.env['KSCOPE_RECORD'] === '1')('are recorded', { timeout: 600_000 }, async () => {
    const lines = new Map<string, string[]>();
    await visitImage(tool, path, 1 << 24, (word, text) => {
      const [name] = text.split(' ') as [string];
      const key = `${name} ${classByText(text)} ${name === '.inst' ? word >>> 25 : ''}`;
      const known = lines.get(key) ?? [];
      if (known.length < 2)
        lines.set(key, [...known, `${word.toString(16).padStart(8, '0')}\t${text.split(' //')[0]}`]);
    });
    golden(RECORDED, [...lines.values()].flat().toSorted().join('\n'));
  });
});
