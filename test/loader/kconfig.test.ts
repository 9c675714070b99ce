import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { createSim } from '../../src/host/sim/index.js';
import { Collection, type LoadOptions } from '../../src/loader/index.js';
import { parseKconfig } from '../../src/loader/kconfig-text.js';
import { BpfRuntime } from '../../src/runtime/index.js';
import { TestHost } from '../support/test-host.js';
import { parseObject } from './objects.js';

const all = (text: string): unknown[] => [...parseKconfig(text, () => true)];

describe('the text of a kernel configuration', () => {
  it.each<[text: string, entries: unknown[]]>([
    ['CONFIG_A=y\nCONFIG_B=n\nCONFIG_C=m\n', [letter('A', 'y'), letter('B', 'n'), letter('C', 'm')]],
    ['CONFIG_A=yes, or so', [letter('A', 'y')]],
    ['CONFIG_A="text"', [['CONFIG_A', { kind: 'text', value: 'text' }]]],
    ['CONFIG_A="a "quote" inside"', [['CONFIG_A', { kind: 'text', value: 'a "quote" inside' }]]],
    ['CONFIG_A=""', [['CONFIG_A', { kind: 'text', value: '' }]]],
    ['CONFIG_A=250', [number('A', 250n)]],
    ['CONFIG_A=0xfF', [number('A', 255n)]],
    ['CONFIG_A=017', [number('A', 15n)]],
    ['CONFIG_A=-1', [number('A', (1n << 64n) - 1n)]],
    ['CONFIG_A=18446744073709551615', [number('A', (1n << 64n) - 1n)]],
    ['# CONFIG_A is not set\n\nsomething else\nCONFIG_B=1', [number('B', 1n)]],
    ['CONFIG_A=1\nCONFIG_A=2', [number('A', 1n)]],
    ['', []],
  ])('%j', (text, entries) => expect(all(text)).toEqual(entries));

  it.each<[text: string, offset: number, message: RegExp]>([
    ['CONFIG_A', 0, /a line without =/],
    ['CONFIG_A=1\nCONFIG_B', 11, /a line without =/],
    ['CONFIG_A=', 0, /a line without a value/],
    ['CONFIG_A="', 9, /text without an end/],
    ['CONFIG_A="abc', 9, /text without an end/],
    ['CONFIG_A=abc', 9, /what is no number/],
    ['CONFIG_A=1 ', 9, /what is no number/],
    ['CONFIG_A=0x', 9, /what is no number/],
    ['CONFIG_A=089', 9, /what is no number/],
    ['CONFIG_A=18446744073709551616', 9, /more than 64 bits/],
    [`CONFIG_A=${'9'.repeat(100_000)}`, 9, /what is no number/],
  ])('%j is refused by place', (text, offset, message) => {
    expect(() => all(text)).toThrow(message);
    try {
      all(text);
    } catch (error) {
      expect((error as BpfError).detail).toMatchObject({ section: 'kconfig', offset });
      expect((error as BpfError).message.length).toBeLessThan(300);
    }
  });
});

function letter(name: string, value: string): unknown {
  return [`CONFIG_${name}`, { kind: 'letter', value }];
}

function number(name: string, value: bigint): unknown {
  return [`CONFIG_${name}`, { kind: 'number', value }];
}

describe('where the values of an object come from', () => {
  function sink(host: ConstructorParameters<typeof BpfRuntime>[0], options: LoadOptions = {}): unknown {
    const runtime = new BpfRuntime(host);
    const spec = parseObject('configuration-clang-19-v3.o');
    const collection = Collection.load(spec, runtime, options);
    const program = collection.programs.get('configuration')?.program;
    if (program === undefined) throw new Error('no program');
    runtime.testRun(program, { ctxIn: new Uint8Array(64) });
    return collection.variables.get('seen')?.get();
  }

  const text = 'CONFIG_HZ=100\nCONFIG_DEFAULT_HOSTNAME="here"\nCONFIG_MODULES=m\n';

  it('the host has a configuration', () => {
    expect(sink(createSim())).toMatchObject({ hz: 250, smp: true, modules: 'TRI_NO', name: '(none)' });
    expect(sink(Object.assign(new TestHost(), { kconfig: text }))).toMatchObject({ hz: 100, name: 'here', smp: false });
  });

  it('text given when loading counts more, and single values count most', () => {
    const host = Object.assign(new TestHost(), { kconfig: 'CONFIG_HZ=1000\nCONFIG_SMP=y' });
    expect(sink(host, { kconfigText: text, kconfig: { CONFIG_HZ: 7 } })).toMatchObject({
      hz: 7,
      smp: true,
      modules: 'TRI_MODULE',
      name: 'here',
    });
  });

  it.each<[what: string, options: LoadOptions, message: RegExp]>([
    ['no value', {}, /CONFIG_HZ is not known \[section .kconfig, value CONFIG_HZ\]: ESRCH/],
    ['text for a number', { kconfigText: 'CONFIG_HZ="a"' }, /CONFIG_HZ does not fit.*EINVAL/],
    ['a letter for a number', { kconfigText: 'CONFIG_HZ=y' }, /CONFIG_HZ does not fit.*EINVAL/],
    ['a number that is too large', { kconfigText: 'CONFIG_HZ=0x100000000' }, /CONFIG_HZ does not fit.*ERANGE/],
    ['a module where only y and n are', { kconfigText: 'CONFIG_HZ=1\nCONFIG_SMP=m' }, /CONFIG_SMP does not fit/],
    ['a value of another type', { kconfig: { CONFIG_HZ: { a: 1 } as never } }, /CONFIG_HZ does not fit.*EINVAL/],
  ])('%s is refused by name', (_what, options, message) => {
    expect(() => sink(new TestHost(), options)).toThrow(message);
    expect(() => sink(new TestHost(), options)).toThrow(BpfError);
  });
});

it('has its externs in the types where they are in the map, as libbpf places them', () => {
  const { btf } = parseObject('configuration-clang-19-v3.o');
  const section = btf?.findByName('.kconfig', 'datasec');
  if (btf === null || section === undefined) throw new Error('no .kconfig');
  const places = section.vars.map(({ type, offset }) => `${btf.nameOf(type)} ${offset}`);
  expect([section.size, ...places.toSorted()]).toEqual([
    26,
    'CONFIG_BPF 16',
    'CONFIG_DEFAULT_HOSTNAME 18',
    'CONFIG_HZ 8',
    'CONFIG_MODULES 12',
    'CONFIG_NR_CPUS 0',
    'CONFIG_SMP 17',
  ]);
});
