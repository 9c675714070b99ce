import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/cli.js';
import { openHost } from '../../src/cli/hosts/open-host.js';
import { parseHostSpec } from '../../src/cli/hosts/host-spec.js';
import { guestState } from '../../src/cli/guest/guest-state.js';
import type { CliIo } from '../../src/cli/io.js';
import { readFile } from '../../src/cli/read-file.js';

const MINUTES = 60_000;
const DURATION = '1.5';

interface Spoken {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

function ioOf(out: string[], err: string[], signal: AbortSignal): CliIo {
  return {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    readFile,
    writeFile: () => undefined,
    writeBytes: () => undefined,
    readStdin: () => Promise.resolve(''),
    signal,
  };
}

async function kscope(...args: readonly string[]): Promise<Spoken> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(args, ioOf(out, err, new AbortController().signal));
  return { code, out, err };
}

interface LedgerRow {
  readonly kind: string;
  readonly seen: number;
  readonly delivered: number;
  readonly dropped: Readonly<Record<string, number>>;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Causes of loss other than one: a call that is under way when its probe is taken out is not seen to return. */
function lostBut(cause: string, { dropped }: LedgerRow): string[] {
  return Object.keys(dropped).filter((name) => name !== cause && dropped[name] !== 0);
}

/** What the guest's own loop in its init opens, over and over. */
const OPENED = ['/proc/uptime', '/proc/loadavg', '/etc/motd', '/bin'];

describe.each([
  ['x86_64', 'openat-kprobe'],
  ['arm64', 'openat-kprobe-arm64'],
  ['riscv64', 'openat-kprobe-riscv64'],
] as const)('the command line on a guest: %s', (arch, object) => {
  it(
    'shows who opens which file, and accounts for every hit',
    async () => {
      const file = `examples/${object}.bpf.o`;
      const { code, out, err } = await kscope('run', file, '--host', `qemu:${arch}`, '--duration', DURATION, '--json');
      expect(code, err.join('\n')).toBe(0);
      const rows = out.map((line) => JSON.parse(line) as { type: string; data: Record<string, unknown> });
      const events = rows.filter(({ type }) => type === 'event').map(({ data }) => data);
      for (const fname of OPENED) expect(events.map((event) => event['fname'])).toContain(fname);
      const reader = events.find((event) => event['fname'] === '/etc/motd');
      expect(reader).toMatchObject({ comm: 'wc', uid: 0, ret: 3 });
      const ledger = rows.filter(({ type }) => type === 'ledger').map(({ data }) => data as unknown as LedgerRow);
      for (const row of ledger) expect(lostBut('detached', row), JSON.stringify(row)).toEqual([]);
      for (const row of ledger) expect(row.seen, JSON.stringify(row)).toBe(row.delivered + sum(row.dropped));
      expect(ledger.find(({ kind }) => kind === 'ring')?.delivered).toBe(events.length);
    },
    3 * MINUTES,
  );
});

describe('guest up', () => {
  const interrupt = new AbortController();
  const said: string[] = [];
  let up: Promise<number>;

  beforeAll(async () => {
    up = runCli(['guest', 'up', 'x86_64'], ioOf([], said, interrupt.signal));
    while (!said.some((line) => line.includes('is up:'))) {
      await Promise.race([up, new Promise((resolve) => setTimeout(resolve, 100))]);
    }
  }, 3 * MINUTES);

  afterAll(() => interrupt.abort());

  it('says each step', () => {
    expect(said.join('\n')).toMatch(/^kernel linux-image-\S+ is in the cache|unpack/m);
    expect(said.join('\n')).toMatch(/^boot linux-image-\S+: \d+\.\d s$/m);
  });

  it.each(['mailbox', 'pvpanic', 'stub'])(
    'is attached to, and goes on afterwards: %s',
    async (trap) => {
      const host = `qemu:x86_64,trap=${trap}`;
      const { code, out, err } = await kscope(
        'run',
        'examples/funclatency.bpf.o',
        '--host',
        host,
        '--duration',
        '1',
        '--json',
      );
      expect(code, err.join('\n')).toBe(0);
      expect(err).toContain('attached to the x86_64 guest that is up');
      expect(out.join('\n')).toMatch(/VFS_READ/);
      expect(guestState('x86_64')?.guest).toBe('x86_64');
    },
    MINUTES,
  );

  it(
    'offers the functions of its kernel, and says why it does not offer others',
    async () => {
      const listed = await kscope('list', 'kprobe:vfs_read', '--host', 'qemu:x86_64');
      expect(listed.code, listed.err.join('\n')).toBe(0);
      expect(listed.out).toEqual(['kprobe:vfs_read']);
      const near = await kscope('list', '--why', 'vfs_rad', '--host', 'qemu:x86_64');
      expect(near).toMatchObject({ code: 1, out: [expect.stringContaining('similar names: vfs_read')] });
    },
    MINUTES,
  );

  it(
    'tells programs the version and the configuration of its kernel',
    async () => {
      const opened = await openHost({ spec: parseHostSpec('qemu:x86_64') }, ioOf([], [], new AbortController().signal));
      try {
        const { kernelVersion = 0, kconfig } = opened.host;
        const [, major, minor] = /vmlinuz-(\d+)\.(\d+)\./.exec(guestState('x86_64')?.spec.kernel ?? '') ?? [];
        expect(kernelVersion >> 8).toBe(Number(major) * 256 + Number(minor));
        expect(kconfig).toMatch(/^CONFIG_HZ=\d+$/m);
      } finally {
        opened.close();
      }
    },
    MINUTES,
  );

  it(
    'is not started twice, and is gone after Ctrl-C',
    async () => {
      const second = await kscope('guest', 'up', 'x86_64');
      expect(second).toMatchObject({ code: 1, err: [expect.stringContaining('EBUSY')] });
      interrupt.abort();
      expect(await up).toBe(0);
      expect(guestState('x86_64')).toBeUndefined();
    },
    MINUTES,
  );
});

describe('the command line on v86', () => {
  it(
    'counts reads of an i686 kernel',
    async () => {
      const { code, out, err } = await kscope(
        'run',
        'examples/funclatency.bpf.o',
        '--host',
        'v86:i686',
        '--duration',
        '2',
        '--json',
      );
      expect(code, err.join('\n')).toBe(0);
      expect(out.join('\n')).toMatch(/VFS_READ/);
    },
    3 * MINUTES,
  );
});
