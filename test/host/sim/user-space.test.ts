import { describe, expect, it } from 'vitest';
import type { PtRegs } from '../../../src/arch/index.js';
import { hi32, lo32 } from '../../../src/base/index.js';
import { createSim, JournalKind, type SimHost } from '../../../src/host/sim/index.js';
import { parseUsdtArg, readUsdtArg, readUsdtNotes, UprobeRegistry } from '../../../src/kprobe/index.js';
import { userName } from './user-name.js';
import { functionOf, imageOf } from '../../kprobe/uprobe-workload.js';

/** /usr/include/elf.h */
const AT = { NULL: 0n, PHDR: 3n, PAGESZ: 6n, BASE: 7n, ENTRY: 9n, UID: 11n, RANDOM: 25n, EXECFN: 31n };

const utf8 = new TextDecoder();

function readUser(host: SimHost, at: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  expect(host.memory.readUser(lo32(at), hi32(at), bytes, 0, length), `user memory at ${at.toString(16)}`).toBe(true);
  return bytes;
}

function word(host: SimHost, at: bigint): bigint {
  return new DataView(readUser(host, at, 8).buffer).getBigUint64(0, true);
}

function textAt(host: SimHost, at: bigint): string {
  let end = at;
  while (readUser(host, end, 1)[0] !== 0) end++;
  return utf8.decode(readUser(host, at, Number(end - at)));
}

/** A member of the current task's mm_struct, in the kernel's own memory. */
function mmField(host: SimHost, name: string): bigint {
  const offset = (struct: string, member: string): bigint => {
    const found = host.btf.member(host.btf.findByName(struct, 'struct')?.id ?? 0, member);
    return BigInt((found?.bitOffset ?? NaN) / 8);
  };
  const load = (at: bigint): bigint => {
    const bytes = new Uint8Array(8);
    expect(host.memory.readKernel(lo32(at), hi32(at), bytes, 0, 8)).toBe(true);
    return new DataView(bytes.buffer).getBigUint64(0, true);
  };
  const pair = new Int32Array(2);
  host.tasks.current(pair);
  const task = BigInt.asUintN(64, (BigInt(pair[1]) << 32n) | BigInt(pair[0] >>> 0));
  return load(load(task + offset('task_struct', 'mm')) + offset('mm_struct', name));
}

/** What the stack of a program holds at its first instruction. */
function readStack(host: SimHost, sp: bigint): { args: string[]; env: string[]; auxv: Map<bigint, bigint> } {
  let at = sp + 8n;
  const strings = (): string[] => {
    const found: string[] = [];
    for (; word(host, at) !== 0n; at += 8n) found.push(textAt(host, word(host, at)));
    at += 8n;
    return found;
  };
  const args = strings();
  expect(BigInt(args.length)).toBe(word(host, sp));
  const env = strings();
  const auxv = new Map<bigint, bigint>();
  for (; word(host, at) !== AT.NULL; at += 16n) auxv.set(word(host, at), word(host, at + 8n));
  return { args, env, auxv };
}

/** Runs the script; calls `look` at the first instruction of each process of the program. */
function atStart(options: Parameters<typeof createSim>[0], path: string, look: (host: SimHost, regs: PtRegs) => void) {
  const host = createSim(options);
  const handler = (_probe: unknown, regs: PtRegs): void => look(host, regs);
  const probe = new UprobeRegistry(host).register({ path, offset: functionOf(host, path, '_start').offset, handler });
  expect(host.run()).toBe('finished');
  expect(probe.nhit).toBeGreaterThan(0);
  return host;
}

const currentTgid = (host: SimHost): number => {
  const out = new Int32Array(2);
  host.tasks.pidTgid(out);
  return out[1];
};

const layoutOf = (host: SimHost): { path: string; start: bigint; executable: boolean; offset: number }[] =>
  host.userText
    .mappings(currentTgid(host))
    .map(({ file: { path }, start, executable, offset }) => ({ path, start, executable, offset }));

describe('a process', () => {
  it('starts with arguments, environment and auxiliary vector on its stack, as Linux lays them out', () => {
    atStart({ script: 'export GREETING=hello\nenv GREETING HOME' }, '/bin/env', (host, regs) => {
      const { args, env, auxv } = readStack(host, regs.sp);
      expect(regs.sp % 16n).toBe(0n);
      expect(args).toEqual(['env', 'GREETING', 'HOME']);
      expect(env).toEqual(['HOME=/', 'TERM=linux', 'GREETING=hello']);
      expect(auxv.get(AT.ENTRY)).toBe(regs.ip);
      expect(auxv.get(AT.PAGESZ)).toBe(4096n);
      expect(auxv.get(AT.UID)).toBe(0n);
      expect(textAt(host, auxv.get(AT.EXECFN) ?? 0n)).toBe('/bin/env');
      expect(readUser(host, auxv.get(AT.RANDOM) ?? 0n, 16).some((byte) => byte !== 0)).toBe(true);
      const [program, linker] = ['/bin/env', '/lib/ld.so'].map((path) =>
        layoutOf(host).find((mapping) => mapping.path === path),
      );
      expect(auxv.get(AT.PHDR)).toBe((program?.start ?? 0n) + 64n);
      expect(auxv.get(AT.BASE)).toBe(linker?.start);
    });
  });

  it('has its arguments and environment where mm_struct says', () => {
    atStart({ script: 'export A=b\nenv A' }, '/bin/env', (host) => {
      const [argStart, argEnd, envStart, envEnd] = ['arg_start', 'arg_end', 'env_start', 'env_end'].map((name) =>
        mmField(host, name),
      );
      expect(utf8.decode(readUser(host, argStart, Number(argEnd - argStart)))).toBe('env\0A\0');
      expect(utf8.decode(readUser(host, envStart, Number(envEnd - envStart)))).toBe('HOME=/\0TERM=linux\0A=b\0');
    });
  });

  it('hands its environment on, and a child has what was exported', () => {
    const host = createSim({ script: 'export A=one\nenv A\nexport A=two\nexport HOME=/root\nenv\nenv NONE' });
    expect(host.run()).toBe('finished');
    expect(host.console).toBe('one\nHOME=/root\nTERM=linux\nA=two\n');
    // The last one fails, and so the shell does.
    const [failed] = [...host.journal.entries(JournalKind.EXIT)].filter(({ b }) => b !== 0n);
    expect(failed?.b).toBe(256n);
  });
});

describe('a dynamic program', () => {
  it('is mapped with its interpreter and its library, text and data apart, at addresses of the seed', () => {
    const layouts = [1, 1, 2].map((seed) => {
      let found: ReturnType<typeof layoutOf> = [];
      atStart({ script: 'cat /etc/motd', seed }, '/bin/cat', (host) => (found = layoutOf(host)));
      return found;
    });
    const [first, again, other] = layouts;
    expect(first.map(({ path, executable }) => `${path} ${executable ? 'text' : 'data'}`)).toEqual([
      '/bin/cat text',
      '/bin/cat data',
      '/lib/ld.so text',
      '/lib/ld.so data',
      '/lib/libc.so.6 text',
      '/lib/libc.so.6 data',
    ]);
    expect(first[0].start >> 28n).toBe(0x55555n);
    expect(first[2].start >> 28n).toBe(0x7f000n);
    expect(again).toEqual(first);
    expect(other.map(({ path, offset }) => [path, offset])).toEqual(first.map(({ path, offset }) => [path, offset]));
    for (const [i, { start }] of other.entries()) expect(start).not.toBe(first[i]?.start);
  });

  it('opens the library as it starts, and again in each process', () => {
    const host = createSim({ script: 'cat /etc/motd\nop getpid\ncat /etc/motd' });
    expect(host.run()).toBe('finished');
    const opened = [...host.journal.entries(JournalKind.OPEN)].filter(({ text }) => text === '/lib/libc.so.6');
    // The shell and two cats; op is static.
    expect(opened).toHaveLength(3);
    expect(new Set(opened.map(({ a }) => a)).size).toBe(3);
  });

  it('is known by what it had mapped when it has ended, before and after its exec', () => {
    const host = createSim({ script: 'cat /etc/motd' });
    expect(host.run()).toBe('finished');
    const [exec] = [...host.journal.entries(JournalKind.EXEC)].filter(({ text }) => text === '/bin/cat');
    const pid = Number((exec?.a ?? 0n) >> 32n);
    const paths = (comm?: string): string[] => host.userText.mappings(pid, comm).map(({ file }) => file.path);
    expect(paths('cat')).toContain('/bin/cat');
    expect(paths('sh')).toContain('/bin/sh');
    expect(paths()).toEqual(paths('cat'));
    expect(host.userText.mappings(31_337)).toEqual([]);
  });
});

describe('the C library', () => {
  it('is executed by every process: a probe on malloc is met as often as its first instruction', () => {
    const script = 'httpd 80 2 &\ncurl 80 /etc/motd 62\ncurl 80 /etc/none\ncc1 /src/parse.c /tmp/p.o 3\nwait';
    const path = '/lib/libc.so.6';
    const plain = createSim({ script });
    const { offset, address } = functionOf(plain, path, 'malloc');
    const executed = new Map<string, number>();
    const comm = new Uint8Array(16);
    const page = lo32(address) & 0xfff;
    plain.traceInstructions((_cpu, lo, hi) => {
      if ((lo & 0xfff) !== page || hi !== 0x7f00) return;
      const at = BigInt(lo >>> 0) | (BigInt(hi) << 32n);
      const text = plain.userText.mappings(currentTgid(plain)).find((mapping) => mapping.file.path === path);
      if (text === undefined || at - text.start !== BigInt(offset)) return;
      plain.tasks.comm(comm, 0);
      const name = utf8.decode(comm.subarray(0, comm.indexOf(0)));
      executed.set(name, (executed.get(name) ?? 0) + 1);
    });
    expect(plain.run()).toBe('finished');

    const host = createSim({ script });
    const hits = new Map<string, number>();
    const handler = (): void => {
      const name = host.tasks.commOf(currentTgid(host)) ?? '';
      hits.set(name, (hits.get(name) ?? 0) + 1);
    };
    new UprobeRegistry(host).register({ path, offset, handler });
    expect(host.run()).toBe('finished');
    expect(host.console).toBe(plain.console);
    expect(Object.fromEntries(hits)).toEqual(Object.fromEntries(executed));
    expect([...hits.keys()].toSorted()).toEqual(['cc1', 'httpd', 'sh']);
  });
});

const FUTEX = 202n;
const CLONE_THREAD = 0x1_0000n;
const LIBC = '/lib/libc.so.6';

describe('threads', () => {
  it.each([1, 2, 4, 8])('on %i CPUs take turns at a mutex and are joined, by futexes', (cpus) => {
    const host = createSim({ script: 'workers 5 30\nworkers 8 20', cpus });
    expect(host.run()).toBe('finished');
    expect(host.console).toBe('5 threads counted 150 of 150\n8 threads counted 160 of 160\n');
    const calls = [...host.journal.entries(JournalKind.SYSCALL_ENTER)].filter(({ b }) => b === FUTEX);
    expect(calls.length).toBeGreaterThan(5);
    // Joined: of each process the threads have ended before it has.
    const exits = [...host.journal.entries(JournalKind.EXIT)];
    const leaders = exits.filter(({ a }) => a >> 32n === (a & 0xffff_ffffn));
    const threads = exits.filter((exit) => !leaders.includes(exit));
    expect(threads).toHaveLength(13);
    for (const thread of threads) {
      const leader = leaders.find(({ a }) => a >> 32n === thread.a >> 32n);
      expect(exits.indexOf(thread)).toBeLessThan(leader === undefined ? -1 : exits.indexOf(leader));
    }
  });

  it('are tasks of one process, each with a pid and a name of its own', () => {
    const host = createSim({ script: 'workers 3 5' });
    expect(host.run()).toBe('finished');
    const born = [...host.journal.entries(JournalKind.FORK)].filter(({ c }) => (c & CLONE_THREAD) !== 0n);
    expect(born).toHaveLength(3);
    const [tgid] = new Set(born.map(({ a }) => a >> 32n));
    for (const { b } of born) expect([b >> 32n, (b & 0xffff_ffffn) === tgid]).toEqual([tgid, false]);
    const renamed = [...host.journal.entries(JournalKind.RENAME)].filter(({ text }) => text.startsWith('worker/'));
    expect(new Map(renamed.map(({ a, text }) => [a, text]))).toEqual(
      new Map(born.map(({ b }, i) => [b, `worker/${i + 1}`])),
    );
  });

  it('have stacks that unwind to where they start', () => {
    const host = createSim({ script: 'workers 2 4' });
    const stacks = new Set<string>();
    const out = new Int32Array(32);
    const handler = (_probe: unknown, regs: PtRegs): void => {
      const depth = host.stacks.user(regs, out, 16);
      const frames = Array.from({ length: depth }, (_, i) =>
        userName(host, (BigInt(out[2 * i + 1]) << 32n) | BigInt(out[2 * i] >>> 0)),
      );
      if (frames[1] === 'workers fill') stacks.add(frames.join(' < '));
    };
    new UprobeRegistry(host).register({ path: LIBC, offset: functionOf(host, LIBC, 'malloc').offset, handler });
    expect(host.run()).toBe('finished');
    // The caller of a function that has just been entered is there although it has no frame yet.
    expect([...stacks]).toEqual([
      'libc.so.6 malloc < workers fill < workers work < libc.so.6 start_thread < libc.so.6 __clone',
    ]);
  });
});

describe('USDT probes of the C library', () => {
  const [create, start, more] = ['pthread_create', 'pthread_start', 'memory_sbrk_more'] as const;

  /** Counts the hits of a probe, with its arguments and its semaphore at that time. */
  function follow(host: SimHost, uprobes: UprobeRegistry, name: string, watched = true) {
    const image = imageOf(host, LIBC);
    const note = readUsdtNotes(image).find((each) => each.name === name);
    if (note === undefined) throw new RangeError(`no probe ${name}`);
    const args = note.args.map((text) => parseUsdtArg(text, host.arch));
    const hits: { pid: number; args: (bigint | undefined)[]; semaphore: number }[] = [];
    const ids = new Int32Array(2);
    const handler = (_probe: unknown, regs: PtRegs): void => {
      host.tasks.pidTgid(ids);
      const text = host.userText.mappings(ids[1]).find(({ file }) => file.path === LIBC);
      const [low = 0, high = 0] = readUser(host, (text?.start ?? 0n) + note.semaphore, 2);
      const values = args.map((arg) => readUsdtArg(arg, regs, host.memory));
      hits.push({ pid: ids[0], args: values, semaphore: low + 256 * high });
    };
    const counter = watched ? { refCtrOffset: image.offsetOf(note.semaphore) ?? 0 } : {};
    uprobes.register({ path: LIBC, offset: image.offsetOf(note.pc) ?? 0, handler, ...counter });
    return hits;
  }

  it('tell of each thread where it is made and where it starts, with the same arguments', () => {
    const host = createSim({ script: 'workers 3 2' });
    const uprobes = new UprobeRegistry(host);
    const [created, started] = [follow(host, uprobes, create), follow(host, uprobes, start)];
    expect(host.run()).toBe('finished');
    const born = [...host.journal.entries(JournalKind.FORK)].filter(({ c }) => (c & CLONE_THREAD) !== 0n);
    expect(new Set(started.map(({ pid }) => pid))).toEqual(new Set(born.map(({ b }) => Number(b & 0xffff_ffffn))));
    expect(started).toHaveLength(3);
    expect(created).toHaveLength(3);
    const given = created.map(({ args: [thread, , entry, argument] }) => [thread, entry, argument]);
    expect(started.map(({ args }) => args)).toEqual(expect.arrayContaining(given));
    expect(new Set(given.map(([, entry]) => entry)).size).toBe(1);
    for (const { semaphore } of [...created, ...started]) expect(semaphore).toBe(1);
  });

  it('have a semaphore that is 0 while nobody watches', () => {
    const host = createSim({ script: 'workers 1 1' });
    const hits = follow(host, new UprobeRegistry(host), more, false);
    expect(host.run()).toBe('finished');
    expect(hits.length).toBeGreaterThan(0);
    for (const { semaphore, args } of hits) {
      expect(semaphore).toBe(0);
      expect(args[1]).toBe(16384n);
    }
  });
});
