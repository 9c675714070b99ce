import { beforeEach, describe, expect, it } from 'vitest';
import { X86Slot } from '../../src/arch/index.js';
import { BpfAttachType, BpfProgType, u64 } from '../../src/base/index.js';
import {
  globMatches,
  type KprobeMultiAttachment,
  type KprobeMultiLink,
  KprobePrograms,
  KprobeRegistry,
  KretprobeRegistry,
} from '../../src/kprobe/index.js';
import { CALLER, TestHost } from '../support/test-host.js';
import { TestRuntime, type TestProgram, type TestProgramBody } from '../support/test-runtime.js';
import { FRAME, LEAF } from '../support/text.js';

const { BPF_TRACE_KPROBE_MULTI, BPF_TRACE_KPROBE_SESSION } = BpfAttachType;

/** What a run was told. */
interface Run {
  readonly ip: bigint;
  readonly funcIp: bigint;
  readonly cookie: bigint;
  readonly arg: bigint;
  readonly ret: bigint;
}

let host: TestHost;
let bpf: TestRuntime;
let kprobes: KprobeRegistry;
let programs: KprobePrograms;
let runs: Run[];

beforeEach(() => {
  host = new TestHost({
    functions: {
      vfs_read: FRAME,
      vfs_write: FRAME,
      vfs_stat: LEAF,
      leaf: LEAF,
      vfs_secret: LEAF,
      vfs_iret: [0x48, 0xcf],
    },
    blacklist: ['vfs_secret'],
  });
  bpf = new TestRuntime(host);
  kprobes = new KprobeRegistry(host);
  programs = new KprobePrograms(bpf.runtime, kprobes, new KretprobeRegistry(kprobes));
  runs = [];
});

function program(on: KprobeMultiAttachment['on'], result: () => number = () => 0): TestProgram {
  const body: TestProgramBody = (run, ctx) => {
    const slot = (index: number): bigint => bpf.memory.view.getBigUint64(ctx + 8 * index, true);
    runs.push({
      ip: slot(X86Slot.ip),
      funcIp: u64(run.funcIpLo, run.funcIpHi),
      cookie: u64(run.cookieLo, run.cookieHi),
      arg: slot(X86Slot.di),
      ret: slot(X86Slot.ax),
    });
    return result();
  };
  const made = bpf.program(BpfProgType.BPF_PROG_TYPE_KPROBE, body);
  made.executable = { expectedAttachType: on === 'session' ? BPF_TRACE_KPROBE_SESSION : BPF_TRACE_KPROBE_MULTI };
  return made;
}

function attach(where: KprobeMultiAttachment, result?: () => number): KprobeMultiLink {
  return programs.attachMulti(program(where.on, result).program, where);
}

const names = ({ probes }: KprobeMultiLink): string[] => probes.map(({ name }) => name);

describe('a program on many functions', () => {
  it('by pattern is on all that match and can be probed', () => {
    const link = attach({ on: 'entry', pattern: 'vfs_*' });
    expect(names(link)).toEqual(['vfs_read', 'vfs_write', 'vfs_stat']);
    for (const name of ['vfs_read', 'leaf', 'vfs_stat']) host.call(name, 0, [1n]);
    expect(runs.map(({ funcIp }) => funcIp)).toEqual([host.address('vfs_read'), host.address('vfs_stat')]);
    expect(link.counts).toMatchObject({ hits: 2, runs: 2 });
    expect(link.probes.map(({ counts }) => counts.runs)).toEqual([1, 0, 1]);
  });

  it('is told the cookie and the address of the function that was hit, whatever the order of the list', () => {
    attach({ on: 'entry', symbols: ['leaf', 'vfs_read'], cookies: [7n, 1n << 63n] });
    host.call('vfs_read', 0, [5n]);
    host.call('leaf', 1);
    expect(runs).toMatchObject([
      { cookie: 1n << 63n, funcIp: host.address('vfs_read'), arg: 5n },
      { cookie: 7n, funcIp: host.address('leaf') },
    ]);
  });

  it('shows the function as the pc at entry, and the return address behind the return', () => {
    attach({ on: 'entry', addresses: [host.address('vfs_read')] });
    attach({ on: 'return', addresses: [host.address('vfs_read')] });
    host.call('vfs_read', 0, [9n]);
    expect(runs).toMatchObject([
      { ip: host.address('vfs_read'), arg: 9n },
      { ip: CALLER, ret: 9n, funcIp: host.address('vfs_read') },
    ]);
  });

  it('leaves what a plain probe of the same function sees as it is', () => {
    const plain = (): void => {
      const body: TestProgramBody = (_run, ctx) => (
        ips.push(bpf.memory.view.getBigUint64(ctx + 8 * X86Slot.ip, true)),
        0
      );
      programs.attachKprobe(bpf.program(BpfProgType.BPF_PROG_TYPE_KPROBE, body).program, { symbolName: 'leaf' });
    };
    const ips: bigint[] = [];
    plain();
    attach({ on: 'entry', symbols: ['leaf'] });
    plain();
    host.call('leaf');
    expect(ips).toEqual([host.address('leaf') + 1n, host.address('leaf') + 1n]);
    expect(runs.map(({ ip }) => ip)).toEqual([host.address('leaf')]);
  });

  it('is on a function once, however often its address is given', () => {
    const leaf = host.address('leaf');
    const link = attach({ on: 'entry', addresses: [leaf, leaf], cookies: [1n, 2n] });
    host.call('leaf');
    expect([names(link), runs.length, runs[0]?.cookie]).toEqual([['leaf'], 1, 1n]);
  });

  it('pauses and goes on as one', () => {
    const link = attach({ on: 'entry', pattern: 'vfs_????' });
    link.setEnabled(false);
    host.call('vfs_read');
    expect(host.memory.view(host.address('vfs_read'), 10)).toEqual(Uint8Array.from(FRAME));
    link.setEnabled(true);
    host.call('vfs_stat');
    expect(runs.length).toBe(1);
  });

  it('detaches from all, and gives back what it held', () => {
    const one = program('entry');
    const used = bpf.memory.used;
    const link = programs.attachMulti(one.program, { on: 'entry', pattern: '*' });
    expect(one.references).toBe(1 + link.probes.length);
    link.detach();
    link.detach();
    expect([one.references, bpf.memory.used, [...kprobes.probes].length]).toEqual([1, used, 0]);
    expect(host.memory.view(host.address('vfs_read'), 10)).toEqual(Uint8Array.from(FRAME));
  });
});

describe('a session', () => {
  it('runs at entry and at return', () => {
    const link = attach({ on: 'session', symbols: ['vfs_read'], cookies: [3n] });
    host.call('vfs_read', 0, [4n]);
    expect(runs).toMatchObject([
      { ip: host.address('vfs_read'), arg: 4n, cookie: 3n },
      { ip: CALLER, ret: 4n, cookie: 3n, funcIp: host.address('vfs_read') },
    ]);
    expect(link.probes[0]?.kretprobe).toMatchObject({ nreturned: 1, nskipped: 0 });
  });

  it('has no return where the entry answered 1', () => {
    const link = attach({ on: 'session', symbols: ['vfs_read'] }, () => 1);
    host.call('vfs_read');
    expect(runs.length).toBe(1);
    expect(link.probes[0]?.kretprobe).toMatchObject({ nreturned: 0, nskipped: 1 });
  });
});

describe('what is refused', () => {
  const list = { on: 'entry', symbols: ['leaf'] } as const;
  it.each<[string, KprobeMultiAttachment, string, RegExp]>([
    ['no function at all', { on: 'entry' }, 'EINVAL', /symbols or addresses/],
    ['symbols and addresses', { ...list, addresses: [1n] }, 'EINVAL', /exactly one/],
    ['a pattern and symbols', { ...list, pattern: '*' }, 'EINVAL', /stands alone/],
    ['a pattern and cookies', { on: 'entry', pattern: '*', cookies: [1n] }, 'EINVAL', /stands alone/],
    ['an empty list', { on: 'entry', symbols: [] }, 'EINVAL', /at least one/],
    ['cookies for some', { ...list, cookies: [] }, 'EINVAL', /1 functions have 0 cookies/],
    ['too many', { on: 'entry', addresses: Array.from({ length: (1 << 20) + 1 }, () => 1n) }, 'E2BIG', /1048576/],
    ['a pattern of nothing', { on: 'entry', pattern: 'xfs_*' }, 'ENOENT', /no function/],
    ['a name twice', { on: 'entry', symbols: ['leaf', 'vfs_read', 'leaf'] }, 'ESRCH', /leaf.*named twice/],
    ['a name that is not there', { on: 'entry', symbols: ['leaf', 'laef'] }, 'ESRCH', /laef/],
    ['a function that must not be probed', { on: 'entry', symbols: ['vfs_secret'] }, 'ESRCH', /blacklisted/],
    ['a function whose entry cannot be displaced', { on: 'entry', symbols: ['vfs_iret'] }, 'ESRCH', /iret/],
    [
      'an address inside a function',
      { on: 'entry', addresses: [0xffff_ffff_8100_0001n] },
      'ENOENT',
      /first instruction/,
    ],
  ])('%s', (_name, where, code, message) => {
    expect(() => attach(where)).toThrowError(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
    );
    expect([...kprobes.probes]).toEqual([]);
    expect(bpf.attachments.size).toBe(0);
  });

  it.each(['entry', 'session'] as const)('a program of another section, on %s', (on) => {
    const other = program(on === 'entry' ? 'session' : 'entry').program;
    expect(() => programs.attachMulti(other, { on, symbols: ['leaf'] })).toThrowError(
      /EINVAL.*its section must be kprobe/,
    );
  });

  it('more functions than there are slots, and those before are let go', () => {
    host.text.allocExec = () => null;
    host.memory.write(host.address('vfs_write'), [0xf3, 0x90, 0xc3]); // pause: needs a slot
    expect(() => attach({ on: 'entry', symbols: ['vfs_read', 'vfs_write'] })).toThrowError(/ENOMEM/);
    expect([...kprobes.probes]).toEqual([]);
    expect(host.memory.view(host.address('vfs_read'), 10)).toEqual(Uint8Array.from(FRAME));
  });
});

it.each([
  ['*', 'anything', true],
  ['vfs_*', 'vfs_', true],
  ['vfs_?', 'vfs_', false],
  ['*read*', 'vfs_readv', true],
  ['*a*b', 'aXbXb', true],
  ['a*b*c', 'a__b__', false],
  ['', '', true],
  ['', 'a', false],
  ['a', 'ab', false],
])('the pattern %s means %s: %s', (pattern, name, matches) => expect(globMatches(pattern, name)).toBe(matches));
