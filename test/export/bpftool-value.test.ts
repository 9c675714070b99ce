import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BpfMapType } from '../../src/base/index.js';
import { formatMapDump, type MapDump } from '../../src/cli/output/map-dump.js';
import { bpftoolValue, toJson } from '../../src/export/index.js';
import { CollectionSpec } from '../../src/loader/index.js';

/** typed.bpf.o, the bytes of its maps, and what bpftool printed of them: test/testdata/hook-objects/record-typed.sh. */
const FOLDER = new URL('../testdata/hook-objects/', import.meta.url);
const file = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');
const spec = CollectionSpec.parse(readFileSync(new URL('typed.bpf.o', FOLDER)));

function dumpOf(name: string): MapDump {
  const map = spec.maps.find((one) => one.name === name);
  if (map === undefined || spec.btf === null) throw new RangeError(`no map ${name} with types`);
  const perCpu = map.type === BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY;
  const rows = file('typed-values.txt')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([which]) => which === name);
  return {
    perCpu,
    types: { btf: spec.btf, key: map.keyTypeId, value: map.valueTypeId },
    elements: rows.map(([, key, value]) => {
      const bytes = Buffer.from(value, 'hex');
      return { key: Buffer.from(key, 'hex'), values: perCpu ? [bytes, bytes] : [bytes] };
    }),
  };
}

describe('maps with types print as bpftool prints them', () => {
  it.each(['shapes', 'percpu'])('%s: structs, unions, enums, bit-fields, arrays, strings, pointers', (name) => {
    expect(`${formatMapDump(dumpOf(name), 'text').join('\n')}\n`).toBe(file(`typed-${name}.txt`));
  });

  it.each(['shapes', 'percpu'])('%s with -j: bytes and meaning', (name) => {
    expect(formatMapDump(dumpOf(name), 'json').join('\n')).toBe(file(`typed-${name}.json`).trimEnd());
  });
});

describe('a data section prints as bpftool prints it', () => {
  const data = spec.maps.find(({ name }) => name === '.data');
  if (data?.contents === undefined || spec.btf === null) throw new Error('the object has no .data with types');
  const dump: MapDump = {
    perCpu: false,
    types: { btf: spec.btf, key: data.keyTypeId, value: data.valueTypeId },
    elements: [{ key: new Uint8Array(4), values: [data.contents] }],
  };

  it('by variable, without the key', () => {
    expect(`${formatMapDump(dump, 'text').join('\n')}\n`).toBe(file('typed-data.txt'));
  });

  it('with -j: the key among the bytes only', () => {
    expect(formatMapDump(dump, 'json').join('\n')).toBe(file('typed-data.json').trimEnd());
  });
});

it('what is not there reads as 0', () => {
  const { btf } = spec;
  const id = btf?.findByName('inner', 'struct')?.id;
  if (btf === null || id === undefined) throw new Error('the object has no struct inner');
  expect(toJson(bpftoolValue(btf, id, new Uint8Array(1)))).toBe('{"tiny":0,"small":0}');
});
