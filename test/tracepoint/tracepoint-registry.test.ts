import { beforeEach, describe, expect, it } from 'vitest';
import { BpfProgType } from '../../src/base/index.js';
import { attachTracepoint, formatOf, TracepointRegistry, type EventRecord } from '../../src/tracepoint/index.js';
import { golden } from '../support/golden.js';
import { TestHost } from '../support/test-host.js';
import { TestRuntime } from '../support/test-runtime.js';
import { SCHED_SWITCH, SYS_ENTER } from '../support/tracepoints.js';

const SWITCH_ARGS = [0n, 11n, 12n, 0x1n];

let host: TestHost;
let bpf: TestRuntime;
let registry: TracepointRegistry;

beforeEach(() => {
  host = new TestHost({ tracepoints: [SCHED_SWITCH, SYS_ENTER] });
  bpf = new TestRuntime(host);
  registry = new TracepointRegistry(bpf.runtime);
});

function flags(): boolean[] {
  return [...host.tracepoints.enabled];
}

describe('events', () => {
  it('have ids from 1, the same for the same host', () => {
    const ids = registry.events.map((event) => `${event.id} ${event.system}:${event.name}`);
    expect(ids).toEqual([
      '1 sched:sched_switch',
      '2 raw_syscalls:sys_enter',
      '3 syscalls:sys_enter_read',
      '4 syscalls:sys_enter_write',
    ]);
    registry.close();
    expect(new TracepointRegistry(bpf.runtime).eventById(4).name).toBe('sys_enter_write');
  });

  it('belong to one registry at a time: a second one is EBUSY until the first is closed', () => {
    expect(() => new TracepointRegistry(bpf.runtime)).toThrowError(/EBUSY; another registry has them/);
    registry.close();
    expect(new TracepointRegistry(bpf.runtime).events).toHaveLength(4);
  });

  it('that do not exist are ENOENT, id 0 among them', () => {
    expect(() => registry.event('sched', 'sched_switc')).toThrowError(/ENOENT; similar names: sched:sched_switch/);
    expect(() => registry.event('sched', 'shed_swich')).toThrowError(/ENOENT; similar names: sched:sched_switch/);
    expect(() => registry.tracepoint('sys_entr')).toThrowError(/ENOENT; similar names: sys_enter/);
    expect(() => registry.tracepoint('nothing')).toThrowError(/ENOENT; the host offers none of this name/);
    expect(() => registry.eventById(0)).toThrowError(/ENOENT; ids go from 1 to 4/);
    expect(() => registry.eventById(5)).toThrowError(/ENOENT/);
  });

  it('are described as in tracefs', () => {
    golden('hooks/sched-switch-format.txt', formatOf(registry.event('sched', 'sched_switch')));
  });
});

describe('the flag of a tracepoint', () => {
  it('is on while anybody listens, whoever it is', () => {
    const raw = (): void => {};
    const consumer = (): void => {};
    const tracepoint = registry.tracepoint('sys_enter');
    const [read, write] = [registry.event('syscalls', 'sys_enter_read'), registry.event('syscalls', 'sys_enter_write')];
    const states: boolean[] = [];
    const note = (): void => void states.push(flags()[1]);
    [
      () => tracepoint.register(raw, null),
      () => read.register(consumer, 'perf'),
      () => read.register(consumer, 'trace'),
      () => tracepoint.unregister(raw, null),
      () => write.register(consumer, null),
      () => read.unregister(consumer, 'perf'),
      () => read.unregister(consumer, 'trace'),
      () => write.unregister(consumer, null),
    ].forEach((change) => (change(), note()));
    expect(states).toEqual([true, true, true, true, true, true, true, false]);
    expect(flags()).toEqual([false, false]);
  });

  it('is what keeps a hit from costing anything', () => {
    expect(host.fire('sched_switch', SWITCH_ARGS)).toBe(false);
    expect(registry.event('sched', 'sched_switch').hits).toBe(0);
  });
});

describe('probes of a tracepoint', () => {
  it('run by priority, then as registered', () => {
    const order: string[] = [];
    const probe = (data: unknown): void => void order.push(data as string);
    const tracepoint = registry.tracepoint('sched_switch');
    tracepoint.register(probe, 'default 1');
    tracepoint.register(probe, 'low', 1);
    tracepoint.register(probe, 'high', 20);
    tracepoint.register(probe, 'default 2');
    host.fire('sched_switch', SWITCH_ARGS);
    expect(order).toEqual(['high', 'default 1', 'default 2', 'low']);
  });

  it('are refused twice with the same data, and when they are not there', () => {
    const probe = (): void => {};
    const tracepoint = registry.tracepoint('sched_switch');
    tracepoint.register(probe, 1);
    expect(() => tracepoint.register(probe, 1)).toThrowError(/EEXIST/);
    tracepoint.register(probe, 2);
    expect(() => tracepoint.unregister(probe, 3)).toThrowError(/ENOENT/);
    expect(tracepoint.users).toBe(2);
  });

  it('may come and go during a hit: none is called after its removal, none before the next hit', () => {
    const called: string[] = [];
    const tracepoint = registry.tracepoint('sched_switch');
    const late = (): void => void called.push('late');
    const victim = (): void => void called.push('victim');
    const first = (): void => {
      called.push('first');
      tracepoint.unregister(first, null);
      tracepoint.unregister(victim, null);
      tracepoint.register(late, null);
    };
    tracepoint.register(first, null);
    tracepoint.register(victim, null);
    host.fire('sched_switch', SWITCH_ARGS);
    expect(called).toEqual(['first']);
    host.fire('sched_switch', SWITCH_ARGS);
    expect(called).toEqual(['first', 'late']);
  });

  it('may remove the last probe, themselves, and with it turn the tracepoint off', () => {
    const tracepoint = registry.tracepoint('sched_switch');
    let calls = 0;
    const self = (): void => {
      calls++;
      tracepoint.unregister(self, null);
    };
    tracepoint.register(self, null);
    host.fire('sched_switch', SWITCH_ARGS);
    host.fire('sched_switch', SWITCH_ARGS);
    expect([calls, flags()]).toEqual([1, [false, false]]);
  });

  it('get the raw arguments', () => {
    let seen: number[] = [];
    registry.tracepoint('sched_switch').register((_data, args) => (seen = [...args]), null);
    host.fire('sched_switch', [0n, 0xffff_8881_0000_1000n, 2n, 3n]);
    expect(seen).toEqual([0, 0, 0x1000, 0xffff_8881 | 0, 2, 0, 3, 0]);
  });
});

describe('a record', () => {
  it('holds common header, fields and zeroed padding', () => {
    let bytes = '';
    const event = registry.event('sched', 'sched_switch');
    event.register((_data, record) => (bytes = hexDump(record.bytes())), null);
    bpf.memory.u8.fill(0xee, 4096, 65536);
    host.fire('sched_switch', SWITCH_ARGS, 1);
    golden('hooks/sched-switch-record.txt', bytes);
  });

  it("is made once for all consumers, only of the hits that are the event's", () => {
    const starts: number[] = [];
    const read = registry.event('syscalls', 'sys_enter_read');
    const consumer = (_data: unknown, record: EventRecord): void => void starts.push(record.start);
    read.register(consumer, 1);
    read.register(consumer, 2);
    host.fire('sys_enter', [0n, 0n]);
    host.fire('sys_enter', [0n, 1n]);
    expect(new Set(starts).size).toBe(1);
    expect(starts).toHaveLength(2);
    expect(read).toMatchObject({ hits: 1, missed: 0 });
  });

  it('survives hits that its consumers cause, four deep; the fifth is missed', () => {
    const event = registry.event('sched', 'sched_switch');
    const pids: number[][] = [];
    let depth = 0;
    event.register((_data, record) => {
      depth++;
      const pid = (): number => record.view.getInt32(record.start + 24, true);
      const before = pid();
      if (depth < 10) host.fire('sched_switch', [0n, BigInt(depth + 100), 0n, 0n]);
      pids.push([before, pid()]);
    }, null);
    host.fire('sched_switch', [0n, 100n, 0n, 0n]);
    expect(pids).toEqual([
      [103, 103],
      [102, 102],
      [101, 101],
      [100, 100],
    ]);
    expect(event).toMatchObject({ hits: 5, missed: 1 });
  });

  it('is given up cleanly when a consumer throws', () => {
    const event = registry.event('sched', 'sched_switch');
    const bad = (): void => {
      throw new Error('a bug in a consumer');
    };
    event.register(bad, null);
    for (let i = 0; i < 6; i++) expect(() => host.fire('sched_switch', SWITCH_ARGS)).toThrow('a bug');
    expect(event.missed).toBe(0);
  });
});

describe('a program of type tracepoint', () => {
  it('has the record as its context', () => {
    const event = registry.event('sched', 'sched_switch');
    const { program } = bpf.program(BpfProgType.BPF_PROG_TYPE_TRACEPOINT, (run, ctx) => {
      expect(run.ctxSize).toBe(48);
      expect(run.regs).toBeNull();
      return bpf.memory.view.getInt32(ctx + 24, true);
    });
    const link = attachTracepoint(bpf.runtime, program, event, { cookie: 5n });
    host.fire('sched_switch', SWITCH_ARGS);
    expect(link.counts).toEqual({ hits: 1, runs: 1, recursion: 0, nesting: 0, faults: 0 });
    link.detach();
    link.detach();
    expect(flags()).toEqual([false, false]);
  });

  it('is missed while another tracing program runs on the CPU', () => {
    const event = registry.event('sched', 'sched_switch');
    const attach = (body: () => number) =>
      attachTracepoint(bpf.runtime, bpf.program(BpfProgType.BPF_PROG_TYPE_TRACEPOINT, body).program, event);
    const outer = attach(() => (host.fire('sched_switch', SWITCH_ARGS, 0), 0));
    const other = attach(() => 0);
    host.fire('sched_switch', SWITCH_ARGS, 0);
    expect(outer.counts).toMatchObject({ hits: 2, runs: 1, recursion: 1 });
    expect(other.counts).toMatchObject({ hits: 2, runs: 1, recursion: 1 });
    expect(bpf.open).toBe(0);
  });

  it('of another type is refused', () => {
    const event = registry.event('sched', 'sched_switch');
    const { program } = bpf.program(BpfProgType.BPF_PROG_TYPE_KPROBE, () => 0);
    expect(() => attachTracepoint(bpf.runtime, program, event)).toThrowError(/EINVAL/);
    expect(event.enabled).toBe(false);
  });
});

it('a host without tracepoints says so', () => {
  Object.assign(host, { tracepoints: null });
  expect(() => new TracepointRegistry(bpf.runtime)).toThrowError(/tracepoints of test: EOPNOTSUPP/);
});

it('closing turns everything off', () => {
  registry.tracepoint('sched_switch').register(() => {}, null);
  registry.close();
  expect(flags()).toEqual([false, false]);
  expect(bpf.memory.used).toBe(bpf.ownBytes);
});

function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 8) {
    const row = Array.from(bytes.subarray(at, at + 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    lines.push(`${at.toString().padStart(4)}  ${row}`);
  }
  return lines.join('\n');
}
