import { describe, expect, it } from 'vitest';
import { metadataOf } from '../../src/loader/index.js';
import { objectFolder, parseObject } from '../loader/objects.js';
import { kscope } from './capture-io.js';

const FILE = `${objectFolder}adjusted-clang-19-v3.o`;

describe('prog show', () => {
  it('lists programs with the metadata of their object, as bpftool does', async () => {
    const { out, code } = await kscope(['prog', 'show', FILE]);
    expect(code).toBe(0);
    expect(out).toEqual([
      '1: perf_event  name adds  gpl',
      expect.stringMatching(/^\txlated \d+B  map_ids \d+(,\d+)+$/),
      '\tmetadata:',
      '\t\tauthor = "somebody"',
      '\t\tversion = 7',
    ]);
  });

  it('gives JSON with the names that bpftool has', async () => {
    const { out } = await kscope(['prog', 'show', FILE, '-j']);
    expect(JSON.parse(out.join(''))).toMatchObject([
      { id: 1, type: 'perf_event', name: 'adds', gpl_compatible: true, metadata: { author: 'somebody', version: 7 } },
    ]);
    const pretty = await kscope(['prog', 'show', FILE, '-p']);
    expect(JSON.parse(pretty.out.join('\n'))).toEqual(JSON.parse(out.join('')));
  });

  it('has no metadata where the object has none', async () => {
    const { out } = await kscope(['prog', 'show', `${objectFolder}maps-clang-19-v3.o`]);
    expect(out.join('')).not.toContain('metadata');
    expect(out[0]).toMatch(/^\d+: perf_event {2}name \w+ {2}gpl$/);
  });
});

describe('map show', () => {
  it('lists maps as bpftool does', async () => {
    const { out } = await kscope(['map', 'show', FILE]);
    expect(out).toContain('1: hash  name table  flags 0x0');
    expect(out[1]).toMatch(/^\tkey 4B {2}value 8B {2}max_entries 2 {2}memlock \d+B$/);
    const rodata = out.findIndex((line) => line.includes('name .rodata '));
    expect(out[rodata]).toMatch(/^\d+: array {2}name .rodata {2}flags 0x480$/);
    expect(out[rodata + 2]).toBe('\tfrozen');
    const { out: json } = await kscope(['map', 'show', FILE, '-j']);
    expect(JSON.parse(json.join(''))).toContainEqual(
      expect.objectContaining({ type: 'hash', name: 'table', bytes_key: 4, bytes_value: 8, max_entries: 2, frozen: 0 }),
    );
  });

  it.each([[['map', 'show']], [['prog', 'show']], [['map', 'show', FILE, FILE]]])('%j is bad usage', async (argv) => {
    expect((await kscope(argv)).code).toBe(2);
  });
});

it('metadata can be set like any constant before load', () => {
  const spec = parseObject('adjusted-clang-19-v3.o');
  metadataOf(spec).get('version')?.set(8);
  expect(spec.variables.get('bpf_metadata_version')?.get()).toBe(8);
  expect([...metadataOf(spec).keys()]).toEqual(['author', 'version']);
});
