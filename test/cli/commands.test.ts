import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CollectionSpec } from '../../src/loader/index.js';
import { kscope } from './capture-io.js';

const OBJECT = 'examples/opensnoop.bpf.o';
const HISTOGRAM = 'examples/biolatency.bpf.o';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kscope-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A signal that is found aborted when it has been asked so many times: Ctrl-C at a moment that is always the same. */
function abortedOnceAsked(times: number): AbortSignal {
  let asked = 0;
  return Object.defineProperty(new AbortController().signal, 'aborted', { get: () => asked++ >= times });
}

describe('exit codes', () => {
  it.each([
    ['no command', [], 2, /^$/],
    ['help', ['help'], 0, /^$/],
    ['version', ['version'], 0, /^$/],
    ['--version', ['--version'], 0, /^$/],
    ['an unknown command', ['frobnicate'], 2, /there is no command "frobnicate"/],
    ['help asked of a command', ['run', '--help'], 0, /^$/],
    ['-h', ['-h'], 0, /^$/],
    ['two objects', ['run', OBJECT, HISTOGRAM], 2, /unexpected argument "examples\/biolatency/],
    ['two objects to prog run', ['prog', 'run', OBJECT, HISTOGRAM, '--prog', 'x'], 2, /unexpected argument/],
    ['two globs', ['list', 'a', 'b'], 2, /list takes GLOB or --why NAME/],
    ['a host that list lacks', ['list', '--host', 'qemu:x'], 2, /--host qemu:x/],
    ['an empty number', ['run', OBJECT, '--seed', ''], 2, /--seed takes a non-negative integer/],
    ['a number that is not decimal', ['run', OBJECT, '--seed', '1e3'], 2, /--seed takes a non-negative integer/],
    ['more runs than fit 32 bits', ['prog', 'run', OBJECT, '--prog', 'x', '--repeat', '4294967296'], 2, /--repeat/],
    ['a journal of map dump', ['map', 'dump', OBJECT, '--journal', 'x'], 2, /--journal/],
    ['an indented run', ['run', OBJECT, '--pretty'], 2, /--pretty/],
    ['a workload there is not', ['run', OBJECT, '--workload', 'idle'], 1, /no workload idle.*there are shell/],
    [
      'a value that does not fit',
      ['run', OBJECT, '--set', 'target_pid=4294967296'],
      2,
      /--set target_pid: 4294967296 does not fit unsigned int \(0 to 4294967295\)/,
    ],
    ['a negative value that does not fit', ['run', OBJECT, '--set', 'target_pid=-1'], 2, /--set target_pid: -1 /],
    ['an unknown option', ['run', OBJECT, '--nonsense'], 2, /--nonsense/],
    ['no object', ['run'], 2, /which object file/],
    ['a missing file', ['run', 'nowhere.o'], 1, /ENOENT/],
    ['a file that is no object', ['run', 'README.md'], 1, /EINVAL|ENOEXEC|ELF/],
    ['a host this build lacks', ['run', OBJECT, '--host', 'qemu:x'], 2, /--host qemu:x/],
    ['an engine this build lacks', ['run', OBJECT, '--engine', 'warp'], 2, /--engine warp/],
    ['a duration that is none', ['run', OBJECT, '--duration', 'soon'], 2, /--duration takes seconds/],
    ['too many CPUs', ['run', OBJECT, '--cpus', '99'], 2, /--cpus takes 1 to 8/],
    [
      'a workload for a guest',
      ['run', OBJECT, '--host', 'qemu:x86_64', '--workload', 'io'],
      2,
      /--workload is not for qemu:x86_64/,
    ],
    ['a seed for a guest', ['run', OBJECT, '--host', 'v86:i686', '--seed', '2'], 2, /--seed is not for v86:i686/],
    [
      'CPUs for a guest that has one',
      ['run', OBJECT, '--host', 'v86:i686', '--cpus', '2'],
      2,
      /--cpus is not for v86:i686/,
    ],
    ['a variable the object lacks', ['run', OBJECT, '--set', 'nobody=1'], 1, /the object has target_pid/],
    ['a value of the wrong kind', ['run', OBJECT, '--set', 'target_pid=many'], 2, /takes an integer/],
    [
      'a program the object lacks',
      ['prog', 'dump', 'linked', OBJECT, '--prog', 'x'],
      2,
      /there are: trace_enter, trace_exit/,
    ],
    ['a map the object lacks', ['map', 'dump', HISTOGRAM, 'name', 'x', '--duration', '0'], 2, /there are: /],
  ] as const)('%s', async (_, argv, code, message) => {
    const result = await kscope(argv);
    expect(result.code).toBe(code);
    expect(result.err.join('\n')).toMatch(message);
  });
});

it('version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect((await kscope(['version'])).out).toEqual([`kscope ${version}`]);
});

describe('run', () => {
  it('prints maps and ledger also where the journal cannot be written', async () => {
    const writeFile = (): never => {
      throw Object.assign(new Error('EACCES: permission denied'), { syscall: 'open' });
    };
    const argv = ['run', HISTOGRAM, '--workload', 'io', '--duration', '0.012', '--journal', 'x'];
    const { code, out, err } = await kscope(argv, { writeFile });
    expect(code).toBe(1);
    expect(err).toContain('kscope: EACCES: permission denied');
    expect(out).toContain('@usecs:');
    expect(out.filter((line) => line.startsWith('probe '))).toHaveLength(2);
  });

  it('gives one JSON object a line: what is attached, events, the ledger', async () => {
    const { code, out, err } = await kscope(['run', OBJECT, '--json', '--workload', 'shell']);
    const rows = out.map((line) => JSON.parse(line) as { type: string; data: Record<string, unknown> });
    expect(code).toBe(0);
    expect(err).toEqual([]);
    expect(rows[0]).toEqual({ type: 'attached_probes', data: { probes: 2 } });
    const events = rows.filter(({ type }) => type === 'event');
    expect(events.length).toBeGreaterThan(10);
    expect(Object.keys(events[0]?.data ?? {})).toEqual(['ts', 'pid', 'ppid', 'uid', 'ret', 'flags', 'comm', 'fname']);
    const ring = rows.find(({ type, data }) => type === 'ledger' && data['kind'] === 'ring');
    expect(ring?.data).toMatchObject({ name: 'events', seen: events.length, delivered: events.length });
  });

  it('sets global variables before load', async () => {
    const { out } = await kscope(['run', OBJECT, '--json', '--workload', 'shell', '--set', 'target_pid=1']);
    const pids = out
      .filter((line) => line.includes('"event"'))
      .map((line) => (JSON.parse(line) as { data: { pid: number } }).data.pid);
    expect(new Set(pids)).toEqual(new Set([1]));
  });

  it('says so when a map asks to be pinned, which lasts as long as the machine', async () => {
    const spec = CollectionSpec.parse(readFileSync(HISTOGRAM));
    spec.changeMap('start', { pinning: 'by_name' });
    vi.spyOn(CollectionSpec, 'parse').mockReturnValueOnce(spec);
    const { err } = await kscope(['run', HISTOGRAM, '--duration', '0']);
    expect(err.join('\n')).toMatch(/map start is pinned by name in a bpffs that ends with this run/);
  });

  it('is the same twice for one seed, and different for another', async () => {
    const argv = ['run', OBJECT, '--workload', 'shell', '--seed'];
    const [first, again, other] = [
      await kscope([...argv, '5']),
      await kscope([...argv, '5']),
      await kscope([...argv, '6']),
    ];
    expect(again.out).toEqual(first.out);
    expect(other.out).not.toEqual(first.out);
  });

  it('gives the same events, maps and ledger with either engine', async () => {
    for (const object of [OBJECT, HISTOGRAM, 'examples/funclatency.bpf.o', 'examples/profile.bpf.o']) {
      const argv = ['run', object, '--workload', 'shell', '--frequency', '997', '--json', '--engine'];
      const [interpreted, compiled] = [await kscope([...argv, 'interp']), await kscope([...argv, 'jit'])];
      expect(compiled.out).toEqual(interpreted.out);
      expect(interpreted.out.length).toBeGreaterThanOrEqual(3);
    }
  });

  it('stops after the duration, and at Ctrl-C, and still prints maps and losses', async () => {
    const short = await kscope(['run', HISTOGRAM, '--workload', 'io', '--duration', '0.012']);
    const interrupted = await kscope(['run', HISTOGRAM, '--workload', 'endless'], { signal: abortedOnceAsked(12) });
    for (const { code, out } of [short, interrupted]) {
      expect(code).toBe(0);
      expect(out.filter((line) => line.startsWith('probe '))).toHaveLength(2);
    }
    expect(interrupted.out).toContain('@usecs:');
  });
});

describe('prog', () => {
  it('load judges each program on its own, never as verified', async () => {
    const { code, out } = await kscope(['prog', 'load', OBJECT, 'README.md', '--json']);
    const rows = out.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(0);
    expect(rows.map(({ program, stage, verdict, errno }) => ({ program, stage, verdict, errno }))).toEqual([
      { program: 'trace_enter', stage: 'check', verdict: 'ok', errno: 0 },
      { program: 'trace_exit', stage: 'check', verdict: 'ok', errno: 0 },
      { program: '', stage: 'open', verdict: 'err', errno: expect.any(Number) as number },
    ]);
    expect(rows[2]?.['errno']).toBeLessThan(0);
    expect(Object.keys(rows[0] ?? {})).toEqual([
      'file',
      'program',
      'section',
      'type',
      'insns',
      'verdict',
      'stage',
      'errno',
      'msg',
    ]);
  });

  /** A committed object with one name in it changed to another of the same length. */
  function renamed(object: string, from: string, to: string): string {
    const bytes = readFileSync(`test/testdata/objects/${object}`);
    return file(object, Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1'));
  }

  it.each([
    ['has no type', 'sampled', 'sections-clang-19-v3.o', 'perf_event\0', 'perf_evict\0', -22],
    [
      'needs an unknown setting',
      'configuration',
      'externs-clang-19-v3.o',
      'LINUX_KERNEL_VERSION',
      'LINUX_KERNEL_VARIANT',
      -22,
    ],
  ])('load refuses a program that %s', async (_, name, object, from, to, errno) => {
    const { code, out } = await kscope(['prog', 'load', renamed(object, from, to), '--json']);
    const rows = out.map((line) => JSON.parse(line) as { program: string; stage: string; errno: number });
    expect(code).toBe(0);
    expect(rows.find(({ program }) => program === name)).toMatchObject({ verdict: 'err', stage: 'load', errno });
  });

  it('dump linked --json has descriptors of 0 and names the maps', async () => {
    const { out } = await kscope(['prog', 'dump', 'linked', OBJECT, '--prog', 'trace_enter', '--json']);
    const record = JSON.parse(out[0] ?? '') as {
      program: string;
      maps: { insn: number; map: string }[];
      insns: string;
    };
    expect(out).toHaveLength(1);
    expect(record.maps.map(({ map }) => map)).toEqual(['.rodata', 'start']);
    for (const { insn } of record.maps)
      expect(record.insns.slice(insn * 16, insn * 16 + 16)).toMatch(/^18[12].0000_?00000000$/);
  });

  it('dump linked lists source, instructions and, if asked, their bytes', async () => {
    const plain = await kscope(['prog', 'dump', 'linked', OBJECT, '--prog', 'trace_enter']);
    const opcodes = await kscope(['prog', 'dump', 'linked', OBJECT, '--prog', 'trace_enter', '--opcodes']);
    expect(plain.out[0]).toBe('trace_enter (tracepoint/syscalls/sys_enter_openat):');
    expect(plain.out).toContain('; __u64 id = bpf_get_current_pid_tgid();');
    expect(opcodes.out.length - plain.out.length).toBe(plain.out.filter((line) => /^ *\d+: /.test(line)).length);
  });

  it('dump linked takes the types of another kernel', async () => {
    const other = await kscope(['prog', 'dump', 'linked', OBJECT, '--btf', OBJECT]);
    expect(other.code).toBe(0);
    expect((await kscope(['prog', 'dump', 'linked', OBJECT, '--btf', 'README.md'])).code).toBe(1);
  });

  it('load says where a loop has several entries, which compiled code pays for', async () => {
    const { out, err } = await kscope(['prog', 'load', 'test/testdata/objects/assembled/two-entries.o']);
    expect(err.join()).toMatch(/tangled: a loop of tangled has several entries/);
    expect(out.join()).toMatch(/tangled: check$/);
    expect((await kscope(['prog', 'load', OBJECT])).err).toEqual([]);
  });

  it('dump jited prints the module of an object’s programs, with instructions and source lines beside the code', async () => {
    const { code, out } = await kscope(['prog', 'dump', 'jited', OBJECT]);
    const text = out.map((line) => line.trim());
    expect(code).toBe(0);
    expect(out.slice(0, 3)).toEqual([
      ';; trace_enter (tracepoint/syscalls/sys_enter_openat): 40 instructions',
      ';; trace_exit (tracepoint/syscalls/sys_exit_openat): 73 instructions',
      '(module',
    ]);
    expect(out).toContain('  (func $trace_enter (type 0)');
    expect(out).toContain('  (func $trace_exit (type 0)');
    const at = text.indexOf(';; __u64 id = bpf_get_current_pid_tgid();');
    expect(text[at + 1]).toBe(';; 1: (85) call bpf_get_current_pid_tgid#14');
    expect(text[at + 2]).toMatch(/^[a-z]/);
  });

  it('dump jited --json has the module, and per function each instruction with what it was made for', async () => {
    const { out } = await kscope(['prog', 'dump', 'jited', OBJECT, 'trace_enter', '--json']);
    const [module, made] = out.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(module).toMatchObject({ type: 'module' });
    expect(() => new WebAssembly.Module(Buffer.from(String(module?.['wasm']), 'hex'))).not.toThrow();
    expect(made).toMatchObject({ type: 'function', program: 'trace_enter', name: 'trace_enter', structured: true });
    const insns = made?.['insns'] as { pc: string; operation: string; operands: string[]; begins?: unknown[] }[];
    expect(insns.flatMap(({ begins = [] }) => begins)).toContainEqual({
      insn: 1,
      text: '(85) call bpf_get_current_pid_tgid#14',
      src: '__u64 id = bpf_get_current_pid_tgid();',
      file: expect.stringMatching(/opensnoop.bpf.c$/) as unknown,
      line_num: expect.any(Number) as unknown,
    });
    expect(insns.every(({ pc, operation }) => /^0x[0-9a-f]+$/.test(pc) && /^[a-z0-9_.]+$/.test(operation))).toBe(true);
  });

  it.each([
    ['no object', [], 2, /takes FILE.o \[PROG\]/],
    ['too many words', [OBJECT, 'trace_enter', 'trace_exit'], 2, /unexpected argument "trace_exit"/],
    ['a program there is not', [OBJECT, 'nothing'], 1, /no such program.*the object has trace_enter, trace_exit/],
  ])('dump jited refuses %s', async (_what, args, code, message) => {
    const answer = await kscope(['prog', 'dump', 'jited', ...args]);
    expect(answer.code).toBe(code);
    expect(answer.err.join('\n')).toMatch(message);
  });

  it('run gives retval, duration and what comes out, for a type that Linux cannot test-run', async () => {
    const ctx = file('ctx.bin', new Uint8Array(64));
    const { code, out } = await kscope([
      'prog',
      'run',
      OBJECT,
      '--prog',
      'trace_enter',
      '--ctx-in',
      ctx,
      '--repeat',
      '3',
      '--json',
    ]);
    expect(code).toBe(0);
    const answer = JSON.parse(out[0] ?? '') as Record<string, unknown>;
    expect(Object.keys(answer)).toEqual(['retval', 'duration_ns', 'data_out', 'ctx_out']);
    expect(answer).toMatchObject({ retval: 0, data_out: '', ctx_out: '00'.repeat(64) });
  });
});

describe('plugin', () => {
  it.each([
    ['r0 = 42', 'b7 00 00 00 2a 00 00 00 95 00 00 00 00 00 00 00', [], '2a'],
    ['r0 = *(u8 *)(r1 + 1)', '71 10 01 00 00 00 00 00 95 00 00 00 00 00 00 00', ['aa bb'], 'bb'],
    ['r0 = r2, the length of memory', 'bf 20 00 00 00 00 00 00 95 00 00 00 00 00 00 00', ['00 11 22'], '3'],
    ['r0 = -1', 'b7 00 00 00 ff ff ff ff 95 00 00 00 00 00 00 00', [], 'ffffffffffffffff'],
  ])('%s', async (_, stdin, memory, r0) => {
    for (const engine of ['interp', 'jit']) {
      expect(await kscope(['plugin', '--engine', engine, ...memory], { stdin })).toMatchObject({ code: 0, out: [r0] });
    }
  });

  it.each([
    ['unknown opcodes', 'ff 00 00 00 00 00 00 00 95 00 00 00 00 00 00 00', 1],
    ['reserved fields that are not zero', 'b7 10 00 00 01 00 00 00 95 00 00 00 00 00 00 00', 1],
    ['reads outside of memory', '71 10 09 00 00 00 00 00 95 00 00 00 00 00 00 00', 1],
    ['half a byte', 'b', 2],
  ])('refuses %s', async (_, stdin, code) => {
    expect((await kscope(['plugin', '00'], { stdin })).code).toBe(code);
  });
});

describe('list', () => {
  it('offers tracepoints, raw tracepoints, functions and the clock', async () => {
    const kinds = new Set((await kscope(['list'])).out.map((name) => name.split(':')[0]));
    expect(kinds).toEqual(new Set(['tracepoint', 'raw_tracepoint', 'kprobe', 'kretprobe', 'perf_event']));
  });

  it.each([
    ['vfs_reed', 1, /no such tracepoint or function;.* similar names: vfs_read/],
    ['vfs_read+0x1', 0, /kprobe:vfs_read\+0x1: can be probed/],
    ['vfs_read+0x2', 1, /no instruction begins there: instructions begin at \+0x0 \+0x1 and \+0x4/],
    ['vfs_reed+4', 1, /no such function;.* similar names: vfs_read/],
    ['exc_int3', 1, /part of the trap path/],
    ['vfs_read', 0, /can be probed/],
  ])('--why %s', async (name, code, text) => {
    const result = await kscope(['list', '--why', name]);
    expect(result.code).toBe(code);
    expect(result.out.join('\n')).toMatch(text);
  });
});

describe('map dump', () => {
  it.each([
    ['types by default', [], /"name": "vda"/],
    ['bytes and meaning with -j', ['-j'], /^\[\{"key":\["0x76","0x64","0x61",.*"formatted":\{"key":\{"name":"vda"\}/],
    ['the same laid out with -p', ['-p'], /"key": \["0x76","0x64","0x61"/],
  ])('gives %s', async (_, flags, text) => {
    const { code, out } = await kscope(['map', 'dump', HISTOGRAM, 'name', 'usecs', '--workload', 'io', ...flags]);
    expect(code).toBe(0);
    expect(out.join('\n')).toMatch(text);
  });

  it('gives what is in a map of maps, by id', async () => {
    const object = 'test/testdata/objects/inner_maps-clang-19-v3.o';
    const { code, out } = await kscope(['map', 'dump', object, 'name', 'hash_of', '--duration', '0']);
    expect(code).toBe(0);
    expect(out).toEqual(['key: 05 00 00 00  value: 04 00 00 00', 'Found 1 element']);
  });

  it('gives the variables of a data section', async () => {
    const { code, out } = await kscope(['map', 'dump', OBJECT, 'name', '.rodata', '--duration', '0', '-j']);
    expect(code).toBe(0);
    expect(out.join('\n')).toMatch(/"formatted":\{"value":\{"\.rodata":\[\{"target_pid":0\}/);
  });
});

describe('doctor', () => {
  it('finds nothing missing here, in text and JSON', async () => {
    const { code, out } = await kscope(['doctor', '--json']);
    expect(code).toBe(0);
    expect(out.map((line) => (JSON.parse(line) as { ok: boolean }).ok)).not.toContain(false);
    expect((await kscope(['doctor'])).out.every((line) => line.startsWith('ok'))).toBe(true);
  });
});
