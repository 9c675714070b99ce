import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { setVariables } from '../../src/cli/set-variables.js';
import { CollectionSpec } from '../../src/loader/index.js';

const typed = (): CollectionSpec =>
  CollectionSpec.parse(readFileSync(new URL('../testdata/hook-objects/typed.bpf.o', import.meta.url)));

describe('--set of a variable that is an enum', () => {
  it.each([
    ['RED', 'RED'],
    ['BLUE', 'BLUE'],
    ['5', 'GREEN'],
    ['-1', 'BLUE'],
    ['0x7', 7],
  ])('to %s is %s', (text, value) => {
    const spec = typed();
    setVariables(spec, [['paint', text]]);
    expect(spec.variables.get('paint')?.get()).toBe(value);
  });

  it('takes a name also where the value it has is no enumerator', () => {
    const spec = typed();
    setVariables(spec, [
      ['paint', '7'],
      ['paint', 'RED'],
    ]);
    expect(spec.variables.get('paint')?.get()).toBe('RED');
  });

  it('to a name that is none of its enumerators is a mistake of usage', () => {
    expect(() => setVariables(typed(), [['paint', 'PINK']])).toThrow('--set paint: enum colour has no enumerator PINK');
  });
});
