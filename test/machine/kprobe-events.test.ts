import { beforeEach, describe, expect, it } from 'vitest';
import { BpfProgType } from '../../src/base/index.js';
import { createSim } from '../../src/host/sim/index.js';
import { printEvent } from '../../src/kprobe/index.js';
import { Machine } from '../../src/machine/index.js';
import { MachineFixture } from './machine-fixture.js';

const { BPF_PROG_TYPE_TRACEPOINT } = BpfProgType;
const TARGET = { kind: 'tracepoint', system: 'kprobes', name: 'mine' } as const;

let fixture: MachineFixture;

beforeEach(() => {
  fixture = new MachineFixture();
});

describe('a kprobe event of a machine', () => {
  it('is a trace event, to which programs of type tracepoint attach', () => {
    const { machine, host } = fixture;
    machine.kprobeEvents.write('p:mine frame first=$arg1\n');
    const link = machine.attach(fixture.program(7, BPF_PROG_TYPE_TRACEPOINT), TARGET, { cookie: 3n });
    host.call('frame', 1, [5n]);
    host.call('leaf');
    expect(fixture.emitted()).toEqual([{ tag: 7, cookie: 3n }]);
    expect(link.ledgerRow()).toMatchObject({ name: 'tracepoint:kprobes:mine prog7', seen: 1, delivered: 1 });
    expect(machine.kprobeEvents.profile()).toBe(`  ${'mine'.padEnd(44)} ${'1'.padStart(15)} ${'0'.padStart(15)}\n`);
  });

  it('has its breakpoints in the text only while somebody listens', () => {
    const { machine } = fixture;
    const before = fixture.text('frame');
    machine.kprobeEvents.write('p:mine frame\np:mine leaf\n');
    expect(fixture.text('frame')).toEqual(before);
    const link = machine.attach(fixture.program(1, BPF_PROG_TYPE_TRACEPOINT), TARGET);
    expect([fixture.text('frame')[0], fixture.text('leaf')[0]]).toEqual([0xcc, 0xcc]);
    link.detach();
    expect(fixture.text('frame')).toEqual(before);
  });

  it('cannot be removed while somebody listens', () => {
    const { machine } = fixture;
    machine.kprobeEvents.write('r:mine frame\n');
    const link = machine.attach(fixture.program(1, BPF_PROG_TYPE_TRACEPOINT), TARGET);
    expect(() => machine.kprobeEvents.write('-:mine\n')).toThrowError(/EBUSY.*turn it off first/);
    expect(() => machine.kprobeEvents.clear()).toThrowError(/EBUSY/);
    link.detach();
    machine.kprobeEvents.clear();
    expect(machine.kprobeEvents.toString()).toBe('');
    expect(() => machine.attach(fixture.program(1, BPF_PROG_TYPE_TRACEPOINT), TARGET)).toThrowError(/ENOENT/);
  });

  it('does not take the name of a tracepoint', () => {
    const { machine } = fixture;
    const [{ system, name }] = machine.tracepoints.events;
    expect(() => machine.kprobeEvents.write(`p:${system}/${name} frame`)).toThrowError(
      /EEXIST; Given group\/event name is already used/,
    );
  });

  it('keeps what was defined before a line that is refused', () => {
    const { machine } = fixture;
    expect(() => machine.kprobeEvents.write('p:one frame\np:two nothing\np:three frame\n')).toThrowError(
      expect.objectContaining({ code: 'ENOENT', error: 'BAD_PROBE_ADDR', position: 6 }) as Error,
    );
    expect(machine.kprobeEvents.toString()).toBe('p:kprobes/one frame\n');
  });

  it('works on a host without tracepoints of its own', () => {
    const { host } = fixture;
    const bare = new Machine(Object.assign(Object.create(host) as typeof host, { tracepoints: null }));
    expect(() => bare.tracepoints).toThrowError(/EOPNOTSUPP/);
    bare.kprobeEvents.write('p:mine frame\n');
    expect(bare.tracepoints.events.map(({ system, name }) => `${system}:${name}`)).toEqual(['kprobes:mine']);
    bare.close();
  });
});

it('a dentry is named by the types of the kernel', () => {
  const host = createSim({ workload: 'mixed', seed: 3 });
  const machine = new Machine(host);
  const lines = new Set<string>();
  machine.kprobeEvents.write(
    'p:opened vfs_read name=$arg1:%pD count=$arg3:u64 who=$comm\nr:done vfs_read got=$retval:s64\n',
  );
  for (const event of machine.kprobeEvents.events) {
    const [{ definition }] = event.probes;
    const { name, isReturn, layout } = event;
    machine.tracepoints.event('kprobes', name).register((_data, record) => {
      lines.add(printEvent({ name, isReturn, layout, args: definition.args }, record.bytes(), host.symbols));
    }, event);
  }
  expect(host.run({ instructions: 20_000_000 })).toMatch(/finished|instructions/);
  const opened = [...lines].filter((line) => line.startsWith('opened'));
  // Files that are no names in a directory (sockets) have none.
  const shape = /^opened: \(vfs_read\+0x0\/0x[0-9a-f]+\) name=(?:"(.+)"|\(fault\)) count=\d+ who=".+"$/;
  const names = opened.map((line) => (shape.exec(line) ?? [line, line])[1]);
  expect(names.filter((name) => name?.startsWith('opened'))).toEqual([]);
  expect(names.filter((name) => name !== undefined).length).toBeGreaterThan(0);
  expect([...lines].some((line) => /^done: \(\w+\+0x[0-9a-f]+\/0x[0-9a-f]+ <- vfs_read\) got=\d+$/.test(line))).toBe(
    true,
  );
  machine.close();
});
