import { describe, expect, it } from 'vitest';
import { CollectionSpec } from '../../src/loader/index.js';
import { objectFolder } from '../loader/objects.js';
import { kscope } from './capture-io.js';

const [main, library] = ['main.o', 'library.o'].map((name) => `${objectFolder}linked/${name}`);

describe('kscope gen object', () => {
  it('writes one object of several', async () => {
    const { code, binaries, out } = await kscope(['gen', 'object', 'all.o', main, library]);
    expect([code, out]).toEqual([0, []]);
    const spec = CollectionSpec.parse(binaries.get('all.o') ?? new Uint8Array(0));
    expect(spec.programs.map(({ name }) => name)).toEqual(['program', 'relocated', 'other']);
  });

  it('fails where they are in conflict, and writes nothing', async () => {
    const { code, binaries, err } = await kscope(['gen', 'object', 'all.o', library, library]);
    expect([code, binaries.size]).toEqual([1, 0]);
    expect(err.join('')).toMatch(/linking .*library.o: .* is defined twice/);
  });

  it.each([[['gen', 'object']], [['gen', 'object', 'all.o']]])('%j is bad usage', async (argv) => {
    expect((await kscope(argv)).code).toBe(2);
  });
});
