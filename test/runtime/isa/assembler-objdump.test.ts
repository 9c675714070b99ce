import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWith } from '../../oracle/describe-with.js';
import { assemble, encodeInsns } from '../../../src/runtime/isa/index.js';

const folder = fileURLToPath(new URL('../../testdata/objects/', import.meta.url));
const objects = readdirSync(folder).filter((name) => name.endsWith('-clang-19-v4.o'));

interface Listed {
  readonly hex: string;
  readonly text: string;
}

/** Instructions as llvm-objdump lists them, without the names it appends to targets. */
function listing(object: string): Listed[] {
  const { stdout } = spawnSync('llvm-objdump-19', ['-d', folder + object], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return [...stdout.matchAll(/^\s+\d+:\t((?:[0-9a-f]{2} )*[0-9a-f]{2})\s*\t(.*)$/gm)].map(([, bytes, text]) => ({
    hex: bytes.replaceAll(' ', ''),
    text: text.replace(/ <[^<>]*>$/, ''),
  }));
}

const hasObjdump = spawnSync('llvm-objdump-19', ['--version']).status === 0;
const objdump = hasObjdump ? {} : { unavailable: 'there is no llvm-objdump-19' };

describeWith('assembler against compiled objects', objdump, () => {
  it.each(objects)('%s as llvm-objdump lists it', (object) => {
    // The listing does not tell calls of functions from calls of helpers.
    const listed = listing(object).filter(({ hex }) => !hex.startsWith('8510'));
    expect(listed.length).toBeGreaterThan(0);
    const assembled = listed.map(({ text }) => ({
      text,
      hex: Buffer.from(encodeInsns(assemble(text))).toString('hex'),
    }));
    expect(assembled).toEqual(listed.map(({ text, hex }) => ({ text, hex })));
  });
});
