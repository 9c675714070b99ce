import { describe, expect, test } from 'vitest';
import { hex64 } from '../../../src/base/index.js';
import { createJit, runPlugin } from '../../../src/runtime/index.js';
import { readGolden } from '../../oracle/golden.js';
import { MEMORY } from '../interp/instruction-cases.js';

/** Lines of `case, program, r0`, made by the kernel. r1 points to MEMORY, r2 is its length. */
const goldenPath = new URL('../../testdata/runtime/interp/instructions.txt', import.meta.url);
const forms = new Map<string, string[]>();
for (const line of readGolden(goldenPath).lines) {
  const form = line.split(' ')[0];
  forms.set(form, [...(forms.get(form) ?? []), line]);
}

describe('every instruction, compiled, returns what the kernel returned', () => {
  test.each([...forms])('%s', (_form, lines) => {
    const actual = lines.map((line) => {
      const [name, program] = line.split('\t');
      return `${name}\t${program}\t${hex64(runPlugin(Buffer.from(program, 'hex'), { memory: MEMORY, engine: createJit() }))}`;
    });
    expect(actual).toEqual(lines);
  });
});
