import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSim } from '../../src/host/sim/index.js';
import { attachPrograms, Collection, CollectionSpec, type StructOpsSpec } from '../../src/loader/index.js';
import { Machine } from '../../src/machine/index.js';

const bytes = readFileSync(new URL('../testdata/hook-objects/struct-ops.bpf.o', import.meta.url));
const open = (): CollectionSpec => CollectionSpec.parse(bytes);

function tableOf(spec: CollectionSpec, name: string): StructOpsSpec {
  const table = spec.structOps.find((each) => each.name === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  return table;
}

describe('a table of functions of the kernel', () => {
  it('is a map by its parameters, of a struct with members and programs', () => {
    const spec = open();
    const [steady, spare] = ['steady', 'spare'].map((name) => tableOf(spec, name));
    expect(spec.map('steady')).toBe(steady);
    expect(steady).toMatchObject({
      type: 26,
      keySize: 4,
      valueSize: 64,
      maxEntries: 1,
      flags: 0x2000,
      autocreate: true,
    });
    expect(spare).toMatchObject({ flags: 0, autocreate: false });
    expect([steady.structName, spec.btf?.nameOf(steady.valueTypeId)]).toEqual(Array(2).fill('tcp_congestion_ops'));
    expect([...steady.programs]).toEqual([
      ['ssthresh', 'ssthresh'],
      ['init', 'init'],
    ]);
    expect([...spare.programs]).toEqual([['ssthresh', 'ssthresh']]);
  });

  it('has its members by type, before it is attached', () => {
    const table = tableOf(open(), 'steady');
    expect([table.get('name'), table.get('flags'), table.get('limits')]).toEqual(['steady', 7, [1n, 1n << 40n]]);
    table.set('flags', 9);
    table.set('limits', [3n, 4n]);
    table.set('name', 'other');
    expect([table.get('name'), table.get('flags'), table.get('limits')]).toEqual(['other', 9, [3n, 4n]]);
    table.setProgram('init', null);
    table.setProgram('ssthresh', 'init');
    expect([...table.programs]).toEqual([['ssthresh', 'init']]);
  });

  it.each([
    [
      'a member that there is not',
      (table: StructOpsSpec) => table.set('speed', 1),
      'ENOENT',
      'no such member of steady',
    ],
    ['a function as data', (table: StructOpsSpec) => table.set('init', 1n), 'EINVAL', 'setProgram gives it a program'],
    [
      'data as a function',
      (table: StructOpsSpec) => table.setProgram('flags', 'init'),
      'EINVAL',
      'which is no function',
    ],
    ['a bit-field', (table: StructOpsSpec) => table.set('small', 1), 'EINVAL', 'set the bytes in `contents`'],
  ] as const)('does not take %s', (_what, change, code, message) => {
    expect(() => change(tableOf(open(), 'steady'))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it('does not become another one by parameters', () => {
    expect(() => open().changeMap('steady', { maxEntries: 2 })).toThrow(/a table of functions is what its struct is/);
  });

  const machine = new Machine(createSim({ workload: 'shell' }));

  it('loads with its programs, which run on bytes of one’s own', () => {
    const { programs, maps } = Collection.load(open(), machine.runtime);
    const program = programs.get('ssthresh')?.program;
    if (program === undefined) throw new Error('no program');
    const ctxIn = new Uint8Array(BigUint64Array.of(41n).buffer);
    expect(machine.runtime.testRun(program, { ctxIn }).retval).toBe(42);
    expect([...maps.keys()].filter((name) => name === 'steady' || name === 'spare')).toEqual([]);
  });

  it('is refused by name where it would be attached', () => {
    const collection = Collection.load(open(), machine.runtime);
    expect(() => attachPrograms(machine, collection)).toThrow(
      expect.objectContaining({
        code: 'EOPNOTSUPP',
        message: expect.stringContaining(
          'attaching struct_ops steady: sim has no struct_ops of type tcp_congestion_ops',
        ),
      }),
    );
    expect(attachPrograms(machine, collection, { autoattach: { steady: false } }).size).toBe(0);
    expect(() => attachPrograms(machine, collection, { autoattach: { steady: false, spare: true } })).toThrow(/spare/);
  });

  it('is read or refused by a BpfError, whatever byte of its file is changed', () => {
    let refused = 0;
    for (let i = 0; i < bytes.length; i += 7) {
      const broken = Uint8Array.from(bytes);
      broken[i] ^= 0xff;
      try {
        CollectionSpec.parse(broken);
      } catch (error) {
        expect(error).toMatchObject({ name: expect.stringMatching(/BpfError/) });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(20);
  });
});
