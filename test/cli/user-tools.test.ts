import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kscope } from './capture-io.js';
import { all, type Entry } from './journal-file.js';
import { processesOf, runTool, tgidOf } from './run-tool.js';

/** What tools on user programs say, against the simulator's journal and the sources that its programs worked on. */

const rootFile = (path: string): string => readFileSync(`src/host/sim/root${path}`, 'utf8');

describe('memleak', () => {
  /** cc1 keeps each name of its source in a struct symbol of two words, with the name behind it. */
  function symbolsOf(source: string): { bytes: number; blocks: number } {
    const names = new Set(rootFile(source).match(/[A-Za-z_]+/g));
    return { bytes: [...names].reduce((sum, name) => sum + 16 + name.length + 1, 0), blocks: names.size };
  }

  it('names what each compiler never gave back, by bytes, blocks and stack', async () => {
    const { maps, journal } = await runTool('memleak', 'compile');
    const [{ map, data }] = maps;
    const found = data as { key: { pid: number; comm: string }; stack: string[]; count: unknown }[];
    expect(maps).toHaveLength(1);
    expect(map).toBe('outstanding');
    const compilers = processesOf(journal, '/bin/cc1');
    expect(compilers).toHaveLength(6);
    const sources = compilers.map(
      (pid) => all(journal, 'OPEN').find((open) => tgidOf(open) === pid && open.text.startsWith('/src/'))?.text ?? '',
    );
    expect(Object.fromEntries(found.map(({ key, count }) => [key.pid, count]))).toEqual(
      Object.fromEntries(compilers.map((pid, i) => [pid, symbolsOf(sources[i] ?? '')])),
    );
    for (const { key, stack } of found) {
      expect(key.comm).toBe('cc1');
      expect(stack.map((frame) => frame.replace(/\+0x[0-9a-f]+/, ''))).toEqual([
        'intern',
        'parse_expression',
        'parse_file',
        'main',
        '__libc_start_main [libc.so.6]',
        '_start',
      ]);
    }
  });

  it('leaves small blocks out when told', async () => {
    const args = ['run', 'examples/memleak.bpf.o', '--workload', 'compile', '--set', 'min_size=65536'];
    const { out } = await kscope(args);
    expect(out.filter((line) => line.startsWith('@'))).toEqual([]);
  });
});

describe('httpdsnoop', () => {
  interface Answer {
    readonly fd: number;
    path: string;
    bytes: number;
  }

  /** What the server did between one accept and the next. */
  function answers(journal: readonly Entry[], server: number): Answer[] {
    const done: Answer[] = [];
    const accepts = new Set(all(journal, 'TCP_ACCEPT'));
    const opens = new Set(all(journal, 'OPEN'));
    const writes = new Set(all(journal, 'WRITE'));
    for (const entry of journal.filter((each) => tgidOf(each) === server)) {
      const last = done.at(-1);
      if (accepts.has(entry)) done.push({ fd: Number(entry.d), path: '', bytes: 0 });
      else if (opens.has(entry) && last !== undefined) last.path = entry.text;
      else if (writes.has(entry) && entry.b === 0n && last !== undefined) last.bytes += Number(entry.d);
    }
    return done;
  }

  it('prints each request with its path, the bytes sent and its status', async () => {
    const { rows, journal, ledger } = await runTool('httpdsnoop', 'web');
    const servers = processesOf(journal, '/bin/httpd');
    expect(servers).toHaveLength(2);
    for (const server of servers) {
      const truth = answers(journal, server);
      const told = rows.filter(({ pid }) => pid === server);
      expect(told.map(({ fd, path, bytes, status }) => [fd, path, bytes, status])).toEqual(
        truth.map(({ fd, path, bytes }) => [fd, path, bytes, 200]),
      );
    }
    expect(rows).toHaveLength(18);
    for (const { seen, delivered } of ledger) expect([seen, delivered]).toEqual([18, 18]);
  });
});

describe('bashreadline', () => {
  /** The lines in the order in which a shell reads them: loops again and again. */
  function linesRead(script: string[]): string[] {
    const read: string[] = [];
    const loops: { body: number; left: number }[] = [];
    for (let at = 0; at < script.length; at++) {
      const line = script[at] ?? '';
      read.push(line);
      const times = /^repeat (\d+)$/.exec(line)?.[1];
      const loop = loops.at(-1);
      if (times !== undefined) loops.push({ body: at, left: Number(times) });
      if (line !== 'end' || loop === undefined) continue;
      if (--loop.left > 0) at = loop.body;
      else loops.pop();
    }
    return read;
  }

  it('prints every line that the shell reads, as its readline returns it', async () => {
    const { rows, journal } = await runTool('bashreadline', 'shell');
    const script = rootFile('/etc/rc.shell').trimEnd().split('\n');
    expect(rows.map(({ line }) => line)).toEqual(linesRead(script).map((line) => line.slice(0, 79)));
    const [shell] = processesOf(journal, '/bin/sh');
    for (const { pid, comm } of rows) expect([pid, comm]).toEqual([shell, 'sh']);
  });
});

describe('gethostlatency', () => {
  it('prints each look-up with its name and a time within which the list of names was read', async () => {
    const { rows, journal } = await runTool('gethostlatency', 'web');
    const reads = new Map(
      all(journal, 'OPEN')
        .filter(({ text }) => text === '/etc/hosts')
        .map((open) => [tgidOf(open), open.time]),
    );
    const clients = processesOf(journal, '/bin/curl').toSorted((a, b) => a - b);
    expect(rows.map(({ pid }) => Number(pid)).toSorted((a, b) => a - b)).toEqual(clients);
    const named = rows.filter(({ host }) => host !== '::ffff:127.0.0.1');
    expect(named.map(({ pid }) => Number(pid)).toSorted((a, b) => a - b)).toEqual(
      [...reads.keys()].toSorted((a, b) => a - b),
    );
    expect(new Set(rows.map(({ host }) => host)).size).toBe(3);
    for (const { pid, comm, host, ts, us } of named) {
      expect(comm).toBe('curl');
      expect(['localhost', 'ip6-localhost']).toContain(host);
      const read = reads.get(Number(pid)) ?? 0n;
      expect(BigInt(ts)).toBeGreaterThan(read);
      expect(BigInt(ts) - 1000n * (BigInt(us) + 1n)).toBeLessThan(read);
    }
  });
});

describe('kscope list', () => {
  const list = async (glob: string): Promise<readonly string[]> => (await kscope(['list', glob])).out;

  it('has the functions and the USDT probes of a program', async () => {
    expect(await list('/bin/httpd')).toEqual([
      ...['_start', 'log_visit', 'main', 'read_request', 'send_file', 'serve'].map(
        (name) => `uprobe:/bin/httpd:${name}`,
      ),
      ...['_start', 'log_visit', 'main', 'read_request', 'send_file', 'serve'].map(
        (name) => `uretprobe:/bin/httpd:${name}`,
      ),
      'usdt:/bin/httpd:httpd:request__done',
      'usdt:/bin/httpd:httpd:request__start',
    ]);
  });

  it('narrows them down by kind and by name', async () => {
    const allocators = ['calloc', 'malloc', 'valloc'].map((name) => `uprobe:/lib/libc.so.6:${name}`);
    expect(await list('uprobe:/lib/libc.so.6:?alloc')).toEqual(allocators);
    expect(await list('usdt:/lib/libc.so.6:*')).toEqual(
      ['memory_sbrk_more', 'pthread_create', 'pthread_start'].map((name) => `usdt:/lib/libc.so.6:libc:${name}`),
    );
    expect(await list('usdt:/bin/httpd:httpd:*start')).toEqual(['usdt:/bin/httpd:httpd:request__start']);
    expect(await list('/bin/sh:readline')).toEqual(['uprobe:/bin/sh:readline', 'uretprobe:/bin/sh:readline']);
  });

  it('says what is wrong with a file', async () => {
    const missing = await kscope(['list', '/bin/nope']);
    expect([missing.code, missing.err.join()]).toEqual([1, expect.stringMatching(/no such file/) as unknown]);
    const text = await kscope(['list', '/etc/motd']);
    expect([text.code, text.err.join()]).toEqual([1, expect.stringMatching(/no ELF file/) as unknown]);
  });
});
