import { describe, expect, it } from 'vitest';
import { attachPrograms, Collection, type LoadOptions } from '../../src/loader/index.js';
import { Machine } from '../../src/machine/index.js';
import { TestHost } from '../support/test-host.js';
import { FRAME, LEAF } from '../support/text.js';
import { parseObject } from './objects.js';

/** The object with a program for each section, on a machine with two of the functions it names. */
function load(options: LoadOptions): { machine: Machine; collection: Collection } {
  const host = new TestHost({ functions: { vfs_read: FRAME, vfs_write: LEAF } });
  const machine = new Machine(host);
  return { machine, collection: Collection.load(parseObject('sections-clang-19-v3.o'), machine.runtime, options) };
}

describe('attaching what an object names', () => {
  it('attaches programs whose sections tell where, and leaves the others out', () => {
    const { machine, collection } = load({ programs: ['kretprobe_symbol', 'kprobe_alone', 'sampled', 'express'] });
    const links = attachPrograms(machine, collection);
    expect([...links].map(([name, { info }]) => `${name} ${info.hook}`)).toEqual([
      'kretprobe_symbol kretprobe:vfs_read',
    ]);
  });

  it('follows switches, and gives each link its options', () => {
    const { machine, collection } = load({ programs: ['kretprobe_symbol', 'not_now'] });
    const links = attachPrograms(machine, collection, {
      autoattach: { kretprobe_symbol: false },
      links: { not_now: { cookie: 7n } },
    });
    expect([...links.keys()]).toEqual(['not_now']);
    expect(links.get('not_now')?.info).toMatchObject({ cookie: 7n, hook: 'kprobe:vfs_write' });
  });

  it('attaches nothing where one program cannot be attached, and names the hook that is missing', () => {
    const { machine, collection } = load({ programs: ['kretprobe_symbol', 'express'] });
    expect(() => attachPrograms(machine, collection, { autoattach: { express: true } })).toThrow(
      /attaching express: machines have no net hooks \[value xdp\]: EOPNOTSUPP/,
    );
    expect(machine.links).toEqual([]);
  });

  it('refuses a switch of a program that does not exist', () => {
    const { machine, collection } = load({ programs: [] });
    expect(() => attachPrograms(machine, collection, { autoattach: { nobody: true } })).toThrow(/ENOENT/);
    expect(() => load({ autoload: { nobody: true } })).toThrow(/no such program \[value nobody\]: ENOENT/);
  });
});

it('loads programs by switch: one that says ? when asked to, others not', () => {
  const names = parseObject('sections-clang-19-v3.o').programs.map(({ name }) => name);
  const off = Object.fromEntries(names.filter((name) => name !== 'packets').map((name) => [name, false]));
  expect([...load({ autoload: { ...off, not_now: true } }).collection.programs.keys()]).toEqual(['packets', 'not_now']);
});
