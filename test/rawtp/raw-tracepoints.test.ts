import { beforeEach, describe, expect, it } from 'vitest';
import { BpfAttachType, BpfProgType } from '../../src/base/index.js';
import type { TracepointDescriptor } from '../../src/host/index.js';
import { MAX_ARGS, RawTracepoints, type RawTracepointLink } from '../../src/rawtp/index.js';
import { TracepointRegistry } from '../../src/tracepoint/index.js';
import { golden } from '../support/golden.js';
import { TestHost } from '../support/test-host.js';
import { TestRuntime, type TestProgram, type TestProgramBody } from '../support/test-runtime.js';
import { tracepointBtf } from '../support/tracepoint-btf.js';
import { SCHED_SWITCH, SYS_ENTER } from '../support/tracepoints.js';

const {
  BPF_PROG_TYPE_RAW_TRACEPOINT,
  BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
  BPF_PROG_TYPE_TRACING,
  BPF_PROG_TYPE_TRACEPOINT,
} = BpfProgType;
const ARGS = [1n, 0xffff_8881_0000_b000n, 0xffff_8881_0000_c000n, 0xffff_ffff_ffff_fffen];

let host: TestHost;
let bpf: TestRuntime;
let registry: TracepointRegistry;
let raw: RawTracepoints;

beforeEach(() => {
  const manyArgs = (name: string, count: number): TracepointDescriptor => ({
    name,
    args: Array.from({ length: count }, (_, i) => ({ name: `a${i}`, type: 'u64' })),
    writableSize: 0,
    events: [],
  });
  host = new TestHost({
    tracepoints: [
      SCHED_SWITCH,
      SYS_ENTER,
      manyArgs('twelve', MAX_ARGS),
      manyArgs('thirteen', MAX_ARGS + 1),
      { ...SYS_ENTER, name: 'writable', writableSize: 8 },
    ],
  });
  Object.assign(host, {
    btf: tracepointBtf({ sched_switch: 4, sys_enter: 3, twelve: 12, thirteen: 13, elsewhere: 1 }),
  });
  bpf = new TestRuntime(host);
  registry = new TracepointRegistry(bpf.runtime);
  raw = new RawTracepoints(bpf.runtime, registry);
});

function program(body: TestProgramBody = () => 0, type: number = BPF_PROG_TYPE_RAW_TRACEPOINT): TestProgram {
  return bpf.program(type, body);
}

function btfProgram(body: TestProgramBody = () => 0): TestProgram {
  const made = program(body, BPF_PROG_TYPE_TRACING);
  made.executable.expectedAttachType = BpfAttachType.BPF_TRACE_RAW_TP;
  return made;
}

function words(ctx: number, size: number): string {
  return Array.from({ length: size / 8 }, (_, i) =>
    bpf.memory.view
      .getBigUint64(ctx + 8 * i, true)
      .toString(16)
      .padStart(16, '0'),
  ).join('\n');
}

describe('a program on a raw tracepoint', () => {
  it('sees the arguments as u64, and no more of them than there are', () => {
    let text = '';
    const link = raw.attach(program((run, ctx) => ((text = words(ctx, run.ctxSize)), 0)).program, 'sched_switch');
    host.fire('sched_switch', ARGS);
    golden('hooks/raw-tracepoint-context.txt', text);
    expect(link.counts).toMatchObject({ hits: 1, runs: 1 });
  });

  it('runs whether or not an event of the tracepoint is in use', () => {
    const link = raw.attach(program().program, 'sys_enter');
    const event = registry.event('syscalls', 'sys_enter_read');
    const consumer = (): void => {};
    event.register(consumer, null);
    host.fire('sys_enter', [0n, 7n]);
    event.unregister(consumer, null);
    host.fire('sys_enter', [0n, 0n]);
    expect(link.counts.runs).toBe(2);
    link.detach();
    expect(host.fire('sys_enter', [0n, 0n])).toBe(false);
  });

  it('may have twelve arguments', () => {
    let size = 0;
    raw.attach(program((run) => ((size = run.ctxSize), 0)).program, 'twelve');
    host.fire(
      'twelve',
      Array.from({ length: 12 }, (_, i) => BigInt(i)),
    );
    expect(size).toBe(96);
  });

  it('is missed only while it runs itself on the CPU', () => {
    let depth = 0;
    const body: TestProgramBody = () => (depth++ < 1 ? (host.fire('sched_switch', ARGS, 0), 0) : 0);
    const first = raw.attach(program(body).program, 'sched_switch');
    const second = raw.attach(program().program, 'sched_switch');
    host.fire('sched_switch', ARGS, 0);
    expect(first.counts).toMatchObject({ hits: 2, runs: 1, recursion: 1 });
    expect(second.counts).toMatchObject({ hits: 2, runs: 2, recursion: 0 });
  });

  it('keeps its context while another program runs inside its run', () => {
    const seen: string[] = [];
    raw.attach(
      program((run, ctx) => {
        host.fire(
          'twelve',
          Array.from({ length: 12 }, () => 0n),
        );
        return seen.push(words(ctx, run.ctxSize));
      }).program,
      'sched_switch',
    );
    raw.attach(program().program, 'twelve');
    host.fire('sched_switch', ARGS);
    expect(seen[0]).toContain('ffff88810000b000');
  });

  it('may be detached in its own run', () => {
    const prog = program(() => (link.detach(), 0));
    const link: RawTracepointLink = raw.attach(prog.program, 'sched_switch');
    host.fire('sched_switch', ARGS);
    link.detach();
    expect([prog.references, link.counts.runs, host.tracepoints.enabled[0]]).toEqual([1, 1, false]);
  });
});

describe('attaching is refused', () => {
  it.each<[string, () => unknown, string]>([
    ['for an unknown tracepoint', () => raw.attach(program().program, 'sched_swich'), 'ENOENT'],
    [
      'for another program type',
      () => raw.attach(program(() => 0, BPF_PROG_TYPE_TRACEPOINT).program, 'sched_switch'),
      'EINVAL',
    ],
    ['for more than twelve arguments', () => raw.attach(program().program, 'thirteen'), 'EINVAL'],
    [
      'for a writer where nothing may be written',
      () => raw.attach(program(() => 0, BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE).program, 'sys_enter'),
      'EINVAL',
    ],
    [
      'by BTF for another attach type',
      () => raw.attachBtf(program(() => 0, BPF_PROG_TYPE_TRACING).program, 'sched_switch'),
      'EINVAL',
    ],
    ['by BTF for a tracepoint without types', () => raw.attachBtf(btfProgram().program, 'untyped'), 'ESRCH'],
    ['by BTF for a tracepoint that the host lacks', () => raw.attachBtf(btfProgram().program, 'elsewhere'), 'ENOENT'],
    ['by BTF where BTF and host disagree', () => raw.attachBtf(btfProgram().program, 'sys_enter'), 'EINVAL'],
    ['by BTF for more than twelve arguments', () => raw.attachBtf(btfProgram().program, 'thirteen'), 'EINVAL'],
    ['by BTF for a type that is no function', () => raw.attachBtf(btfProgram().program, 'no_function'), 'EINVAL'],
  ])('%s', (_name, attach, code) => {
    expect(attach).toThrowError(expect.objectContaining({ code }) as Error);
    expect(host.tracepoints.enabled).not.toContain(true);
  });

  it('by BTF where the host has none', () => {
    Object.assign(host, { btf: null });
    expect(() => raw.attachBtf(btfProgram().program, 'sched_switch')).toThrowError(/ESRCH; test has no BTF/);
  });
});

it('a program of type tracing sees the same words', () => {
  let text = '';
  raw.attachBtf(btfProgram((run, ctx) => ((text = words(ctx, run.ctxSize)), 0)).program, 'sched_switch');
  host.fire('sched_switch', ARGS);
  golden('hooks/raw-tracepoint-context.txt', text);
});

describe('opening one as bpf(2) does', () => {
  const FD = 9;

  function open(prog: TestProgram, name: string | null, fd = FD): RawTracepointLink {
    const attr = new Uint8Array(24);
    new DataView(attr.buffer).setBigUint64(0, 0x1000n, true);
    new DataView(attr.buffer).setUint32(8, fd, true);
    new DataView(attr.buffer).setBigUint64(16, 0x77n, true);
    const read = (): Uint8Array | null => (name === null ? null : new TextEncoder().encode(`${name}\0`));
    return raw.open(attr, read, (asked) => (asked === FD ? prog.program : undefined));
  }

  it('attaches with the cookie', () => {
    let cookie = 0;
    open(
      program((run) => ((cookie = run.cookieLo), 0)),
      'sched_switch',
    );
    host.fire('sched_switch', ARGS);
    expect(cookie).toBe(0x77);
  });

  it.each<[string, () => unknown, string]>([
    ['a descriptor that is no program', () => open(program(), 'sched_switch', 3), 'EBADF'],
    ['a program that has its own name', () => open(btfProgram(), 'sched_switch'), 'EINVAL'],
    [
      'another program type, before the name is read',
      () =>
        open(
          program(() => 0, BPF_PROG_TYPE_TRACEPOINT),
          null,
        ),
      'EINVAL',
    ],
    ['a name that cannot be read', () => open(program(), null), 'EFAULT'],
    ['an unknown name', () => open(program(), 'nothing'), 'ENOENT'],
  ])('%s is %s', (_name, attempt, code) => {
    expect(attempt).toThrowError(expect.objectContaining({ code }) as Error);
  });
});

it('closing gives the memory of the contexts back', () => {
  raw.close();
  registry.close();
  expect(bpf.memory.used).toBe(bpf.ownBytes);
});
