import { arm64, classifyArm64 } from '../../../src/arch/index.js';
import { classByText } from './mnemonic-class.js';

/** File below test/testdata with one word per line and the text that objdump shows for it. */
export const RECORDED_TEXT = 'arch/arm64-objdump.txt';

export interface Difference {
  readonly word: string;
  readonly text: string;
  readonly expected: string;
  readonly found: string;
}

/** How the class of `word` differs from the one that its text tells; null where it does not, or there is no text. */
export function compareClass(word: number, text: string): Difference | null {
  const expected = classByText(text);
  const found = classifyArm64(word);
  return expected === null || expected === found ? null : { word: word.toString(16), text, expected, found };
}

export function isSimulated(word: number): boolean {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, word, true);
  return arm64.probing.plan(bytes, 0xffff_8000_0801_0000n).kind === 'simulate';
}
