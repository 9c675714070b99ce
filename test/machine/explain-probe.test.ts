import { describe, expect, it } from 'vitest';
import { type Host, SymbolTable, whyNoFunction } from '../../src/host/index.js';
import { createSim } from '../../src/host/sim/index.js';
import { explainProbe, Machine } from '../../src/machine/index.js';
import { TestHost } from '../support/test-host.js';
import { FRAME, LEAF } from '../support/text.js';

const host = new TestHost({
  functions: {
    frame: FRAME,
    leaf: LEAF,
    'tcp_ack.isra.0': LEAF,
    'tcp_ack.part.1.cold': LEAF,
    secret: LEAF,
    iret: [0x90, 0x48, 0xcf],
    broken: [0x90, 0xcc, 0xc3],
  },
  blacklist: ['secret'],
});

describe('why a name cannot be probed', () => {
  it.each([
    ['frame', ['kprobe:frame', null], ['kretprobe:frame', null]],
    ['kprobe:frame', ['kprobe:frame', null]],
    ['frame+4', ['kprobe:frame+0x4', null]],
    ['frame+0x4', ['kprobe:frame+0x4', null]],
    ['frame+2', ['kprobe:frame+0x2', 'no instruction begins there: instructions begin at +0x0 +0x1 and +0x4']],
    [
      'secret',
      ['kprobe:secret', 'secret is part of the trap path'],
      ['kretprobe:secret', 'secret is part of the trap path'],
    ],
    ['secret+1', ['kprobe:secret+0x1', 'it is blacklisted: secret is part of the trap path']],
    ['iret+1', ['kprobe:iret+0x1', expect.stringMatching(/^not possible: .*iret/)]],
    ['broken+1', ['kprobe:broken+0x1', expect.stringMatching(/did not place/)]],
    ['kretprobe:frame+0', ['kretprobe:frame', null]],
    ['kretprobe:frame+4', ['kretprobe:frame+0x4', 'return probes stand at the first instruction of a function']],
  ] as [string, ...[string, unknown][]][])('%s', (name, ...expected) => {
    const { probes, missing } = explainProbe(host, name);
    expect(missing).toBe(null);
    expect(probes.map((probe) => [probe.name, probe.refused])).toEqual(expected);
  });

  it.each([
    ['fraem', /^no such tracepoint or function;.*similar names: frame$/],
    ['fraem+4', /^no such function;.*similar names: frame$/],
    ['tcp_ack', /the compiler kept only tcp_ack\.isra\.0, tcp_ack\.part\.1\.cold of it/],
    ['xyzzy_and_more', /^no such tracepoint or function; no symbol is like it \(inlined functions have none\)$/],
  ])('%s is not there', (name, reason) => {
    expect(explainProbe(host, name)).toEqual({ probes: [], missing: expect.stringMatching(reason) as string });
  });

  it.each([
    ['fentry:vfs_read', /; of that name there are kprobe:vfs_read, kretprobe:vfs_read$/],
    ['tracepoint:vfs_read', /; of that name there are kprobe:vfs_read, kretprobe:vfs_read$/],
    ['sched:sched_switch', /; of that name there are tracepoint:sched:sched_switch, raw_tracepoint:sched_switch$/],
    ['kprobe:sched_switch', /; of that name there are tracepoint:sched:sched_switch, raw_tracepoint:sched_switch$/],
    ['init_task', /; it is data \(symbol type D\): probe a function$/],
  ])('%s is there as something else', (name, reason) => {
    expect(explainProbe(createSim(), name)).toEqual({ probes: [], missing: expect.stringMatching(reason) as string });
  });

  it('an inlined function is known by its type alone', () => {
    const sim = createSim({});
    const symbols = new SymbolTable([...sim.symbols].filter(({ name }) => name !== 'vfs_read'));
    expect(whyNoFunction({ symbols, btf: sim.btf }, 'vfs_read')).toMatch(/inlined it wherever it is called/);
    const { missing } = explainProbe(Object.assign(Object.create(sim) as Host, { symbols }), 'vfs_read');
    expect(missing).toMatch(/inlined/);
  });

  it('attaching and registering give the same reasons', () => {
    const machine = new Machine(host);
    expect(() => machine.kprobes.register({ symbolName: 'tcp_ack' })).toThrowError(
      /ENOENT; the compiler kept only tcp_ack\.isra\.0/,
    );
    machine.close();
  });
});
