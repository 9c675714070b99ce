import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { TracepointDescriptor } from '../../src/host/index.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { type Link, Machine } from '../../src/machine/index.js';
import type { ProgramFault } from '../../src/runtime/index.js';
import { TestHost } from '../support/test-host.js';

const AT = 0xffff_8880_0000_1000n;
const FINISH: TracepointDescriptor = {
  name: 'bpf_test_finish',
  args: [{ name: 'err', type: 'int *' }],
  writableSize: 4,
  events: [],
};

class Fixture {
  readonly host = new TestHost({ tracepoints: [FINISH, { ...FINISH, name: 'fixed', writableSize: 0 }] });
  readonly machine = new Machine(this.host, { onFault: (fault) => this.faults.push(fault) });
  readonly faults: ProgramFault[] = [];
  readonly collection: Collection;
  readonly link: Link;
  readonly err: DataView;

  constructor(constants: Readonly<Record<string, bigint | boolean>> = {}) {
    const spec = CollectionSpec.parse(
      readFileSync(new URL('../testdata/hook-objects/writable.bpf.o', import.meta.url)),
    );
    for (const [name, value] of Object.entries(constants)) spec.variables.get(name)?.set(value);
    this.collection = Collection.load(spec, this.machine.runtime);
    const [program] = this.collection.programs.values();
    this.link = this.machine.attach(program.program, program.attach, { cookie: 9n });
    const bytes = this.host.memory.map(AT, 64);
    this.err = new DataView(bytes.buffer, bytes.byteOffset);
  }

  variable(name: string): unknown {
    return this.collection.variables.get(name)?.get();
  }
}

it('raw_tp.w: the program reads and writes what the first argument points to', () => {
  const { host, link, err, machine, collection, faults } = new Fixture();
  err.setInt32(0, 42, true);
  host.fire('bpf_test_finish', [AT]);
  expect([err.getInt32(0, true), err.getInt32(4, true)]).toEqual([-5, 0]);
  expect([collection.variables.get('seen')?.get(), collection.variables.get('cookie')?.get()]).toEqual([42, 9n]);
  expect(machine.ledgerRows()).toContainEqual(expect.objectContaining({ seen: 1, delivered: 1 }));
  link.detach();
  err.setInt32(0, 7, true);
  host.fire('bpf_test_finish', [AT]);
  expect([err.getInt32(0, true), faults]).toEqual([7, []]);
});

it('what lies behind may not be written: the program stops', () => {
  const fixture = new Fixture({ beyond: true });
  fixture.host.fire('bpf_test_finish', [AT]);
  expect(fixture.faults).toHaveLength(1);
  expect(fixture.faults[0].reason).toMatch(/invalid write of 4 bytes/);
  expect(fixture.err.getInt32(4, true)).toBe(0);
});

it('an argument that points nowhere stays as it is, and cannot be written', () => {
  const fixture = new Fixture();
  fixture.host.fire('bpf_test_finish', [0xffff_8880_7777_0000n]);
  expect(fixture.faults[0].reason).toMatch(/invalid write .*memory of the host/);
});

it('a tracepoint with nothing to write is EINVAL', () => {
  const { machine, collection } = new Fixture();
  const [{ program }] = collection.programs.values();
  expect(() => machine.attach(program, { kind: 'raw_tracepoint', name: 'fixed', writable: true })).toThrow(
    /EINVAL; this tracepoint offers nothing/,
  );
});
