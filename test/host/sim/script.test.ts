import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import {
  createSim,
  JournalKind as Kind,
  type SimFile,
  type SimHost,
  type SimStep,
} from '../../../src/host/sim/index.js';
import { describeWith } from '../../oracle/describe-with.js';
import { pidOf, runToEnd } from './kernel-machine.js';

function run(script: readonly SimStep[], files: Readonly<Record<string, SimFile>> = {}): SimHost {
  const host = createSim({ script, files, cpus: 2, seed: 3 });
  expect({ ...runToEnd(host), oops: host.oops }).toEqual({ stop: 'finished', status: 0, oops: null });
  return host;
}

const printed = (script: readonly SimStep[], files?: Readonly<Record<string, SimFile>>): string =>
  run(script, files).console;

/** An ELF program of one segment at 0x400000 that does `code` and then exits with 0. */
function tinyProgram(code: readonly number[], machine = 62): Uint8Array {
  const exit = [0x31, 0xff, 0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05];
  const text = Uint8Array.from([...code, ...exit]);
  const file = new Uint8Array(120 + text.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, 0x40_0078n, true);
  view.setBigUint64(32, 64n, true);
  [64, 56, 1, 64].forEach((value, i) => view.setUint16(52 + 2 * i, value, true));
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  view.setBigUint64(80, 0x40_0000n, true);
  view.setBigUint64(96, BigInt(file.length), true);
  view.setBigUint64(104, BigInt(file.length), true);
  view.setBigUint64(112, 0x1000n, true);
  file.set(text, 120);
  return file;
}

/** `write(1, "hi\n", 3)` with the text on the stack. */
const SAY_HI = [
  0x68, 0x68, 0x69, 0x0a, 0, 0x48, 0x89, 0xe6, 0xba, 3, 0, 0, 0, 0xbf, 1, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0x0f, 0x05,
];

describe('steps', () => {
  test.each<[string, readonly SimStep[], string]>([
    ['a command with arguments', [{ run: ['cat', '/greeting', '/greeting'] }], 'hello\nhello\n'],
    ['several, each reading the one before', [{ run: [['cat', '/greeting'], ['grep', 'h'], ['wc']] }], '1 1 6\n'],
    [
      'with files for input, output and errors',
      [
        { run: ['cat'], input: '/greeting', output: '/tmp/a' },
        { run: ['cat', '/greeting'], output: '/tmp/a', append: true },
        { run: ['cat', '/none'], errors: '/tmp/e', mayFail: true },
        { run: ['cat', '/tmp/a', '/tmp/e'] },
      ],
      'hello\nhello\n/none: error 2\n',
    ],
    [
      'with errors where the output goes',
      [{ run: ['cat', '/none'], errors: 'output', output: '/tmp/e', mayFail: true }, { run: ['cat', '/tmp/e'] }],
      '/none: error 2\n',
    ],
    [
      'with an environment',
      [
        { export: { KSCOPE_A: 'all of them' } },
        { run: [['env'], ['grep', 'KSCOPE']], env: { KSCOPE_B: 'this one' } },
        { run: [['env'], ['grep', 'KSCOPE']] },
      ],
      'KSCOPE_A=all of them\nKSCOPE_B=this one\nKSCOPE_A=all of them\n',
    ],
    [
      'again and again, one loop in another',
      [{ repeat: 2, steps: [{ repeat: 2, steps: [{ run: [['env'], ['grep', 'AT=']], env: { AT: '$j.$i' } }] }] }],
      'AT=0.0\nAT=0.1\nAT=1.0\nAT=1.1\n',
    ],
    ['none at all', [{ repeat: 0, steps: [{ run: ['cat', '/greeting'] }] }], ''],
    [
      'what it came to',
      [
        { run: ['op', 'exit:3'], mayFail: true },
        { run: [['env'], ['grep', 'CAME=']], env: { CAME: '$?' } },
      ],
      'CAME=3\n',
    ],
  ])('run %s', (_, script, console) => {
    expect(printed(script, { '/greeting': 'hello\n' })).toBe(console);
  });

  test('words are what they are, whatever characters they have', () => {
    const words = ['a b', `it's`, 'say "so"', '$k & $', '| > < 2>&1', '#', '*', '"', `"'"`, '=', 'wait', ''];
    const script = words.map((word): SimStep => ({ run: [['env'], ['grep', 'WORD=']], env: { WORD: word } }));
    expect(printed(script)).toBe(words.map((word) => `WORD=${word}\n`).join(''));
  });

  test('in the background, waited for by name, all of them, and sent signals', () => {
    const host = run([
      { run: ['op', 'sleep:20000'], background: 'sleeper' },
      { run: ['op', 'sleep:90000000'], background: 'late' },
      { run: ['op', 'sleep:1000'], background: true },
      { wait: { job: 'sleeper' } },
      { run: ['cat', '/etc/motd'] },
      { signal: 'SIGTERM', job: 'late' },
      { wait: 'all' },
    ]);
    const opened = [...host.journal.entries(Kind.OPEN)].find(({ text }) => text === '/etc/motd');
    expect(Number(opened?.time)).toBeGreaterThan(20_000_000);
    const killed = [...host.journal.entries(Kind.EXIT)].filter(({ b }) => b === 15n);
    expect(killed).toHaveLength(1);
    expect(Number(killed[0]?.time)).toBeLessThan(60_000_000);
  });

  test('sleep for a time and until a time', () => {
    const host = run([
      { untilUs: 30_000 },
      { run: ['cat', '/etc/motd'] },
      { sleepUs: 5000 },
      { run: ['cat', '/etc/motd'] },
    ]);
    const opens = [...host.journal.entries(Kind.OPEN)].filter(({ text }) => text === '/etc/motd');
    const [first = 0, second = 0] = opens.map(({ time }) => Number(time));
    expect(first).toBeGreaterThan(30_000_000);
    expect(first).toBeLessThan(33_000_000);
    expect(second - first).toBeGreaterThan(5_000_000);
  });

  test('an event has its place in time: what a step starts comes after what it waited for', () => {
    const host = run([
      {
        repeat: 3,
        steps: [
          {
            run: [
              ['cat', '/src/parse.c'],
              ['grep', 'int'],
            ],
            output: '/tmp/x$i',
            background: true,
          },
        ],
      },
      { wait: 'all' },
      { run: ['rm', '/tmp/x0', '/tmp/x1', '/tmp/x2'] },
    ]);
    const entries = [...host.journal.entries()];
    const removing = entries.findIndex(({ kind, text }) => kind === Kind.EXEC && text === '/bin/rm');
    const greps = entries
      .filter(({ kind, text }) => kind === Kind.EXEC && text === '/bin/grep')
      .map(({ a }) => pidOf(a));
    expect(greps).toHaveLength(3);
    for (const pid of greps) {
      const exit = entries.findIndex(({ kind, a }) => kind === Kind.EXIT && pidOf(a) === pid);
      const reaped = entries.findIndex(({ kind, b }) => kind === Kind.REAP && Number(b) === pid);
      expect(exit).toBeLessThan(reaped);
      expect(reaped).toBeLessThan(removing);
    }
  });

  test('a command that fails makes the workload fail', () => {
    const host = createSim({ script: [{ run: ['cat', '/none'] }] });
    expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0x100 });
  });
});

describe('files of one’s own', () => {
  test('are on the disk at boot, with the directories on the way', () => {
    const files = { '/data/deep/a': 'one\n', '/data/b': Uint8Array.of(0x74, 0x77, 0x6f, 0x0a), '/empty': '' };
    const script: SimStep[] = [{ run: ['cat', '/data/deep/a', '/data/b', '/empty'] }];
    expect(printed(script, files)).toBe('one\ntwo\n');
  });

  test('may be many, and long', () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`/many/file${i}`, `${i}\n`]));
    const long = Uint8Array.from({ length: 500_000 }, (_, i) => 65 + (i % 26));
    const host = run(
      [
        { run: ['cat', '/many/file0', '/many/file71', '/many/file72', '/many/file199'] },
        { run: ['wc'], input: '/long' },
      ],
      { ...many, '/long': long },
    );
    expect(host.console).toBe('0\n71\n72\n199\n0 1 500000\n');
    const file = host.userText.open('/long');
    const bytes = new Uint8Array(9);
    expect(file !== null && host.userText.read(file, 26_000, bytes)).toBe(true);
    expect(new TextDecoder().decode(bytes)).toBe('ABCDEFGHI');
  });

  test('are run if they are programs', () => {
    const files = { '/bin/hi': tinyProgram(SAY_HI), '/opt/hi': { bytes: tinyProgram(SAY_HI), mode: 0o755 } };
    expect(printed([{ run: ['hi'] }, { run: ['/opt/hi'] }], files)).toBe('hi\nhi\n');
  });

  test.each<[string, Readonly<Record<string, SimFile>>, RegExp]>([
    ['a path that is none', { 'tmp/x': '' }, /no path .*value tmp\/x.*EINVAL; from \//],
    ['a path with dots', { '/tmp/../x': '' }, /no path .*EINVAL/],
    ['a path too long', { [`/${'x'.repeat(39)}`]: '' }, /no path .*EINVAL; .*at most 39 bytes/],
    ['a file that the disk has', { '/etc/motd': '' }, /has that file \[value \/etc\/motd\]: EEXIST/],
    ['a file below a file', { '/etc/motd/x': '' }, /a file lies on the way .*ENOTDIR; \/etc\/motd is one/],
    ['a file too long', { '/x': new Uint8Array(3 << 20) }, /\/x is too long .*EFBIG; at most 2097152 bytes/],
    [
      'more than the disk holds',
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`/x${i}`, new Uint8Array(2 << 20)])),
      /does not fit the disk .*ENOSPC/,
    ],
    [
      'more files than it names',
      Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`/x${i}`, ''])),
      /too many files .*ENOSPC; at most 400/,
    ],
    [
      'a program of another machine',
      { '/bin/x': tinyProgram([], 183) },
      /\/bin\/x: an ELF file of another machine \[offset 18.*ENOEXEC; build it for x86_64/,
    ],
    ['half a program', { '/bin/x': tinyProgram([]).subarray(0, 40) }, /ends in its header .*ENOEXEC/],
    ['permissions that are none', { '/x': { bytes: '', mode: 8192 } }, /mode 8192 of \/x/],
  ])('are refused: %s', (_, files, message) => {
    expect(() => createSim({ files })).toThrow(message);
  });
});

describe('a bad step is refused before the machine boots, by its place', () => {
  test.each<[unknown, RegExp]>([
    [{ run: ['nothing'] }, /steps\[1\]\.run\[0\]: no such program \[value nothing\]: ENOENT; give it .* `files`/],
    [{ run: ['a b'] }, /steps\[1\]\.run\[0\]: no name of a program \[value a b\]: EINVAL/],
    [{ run: [] }, /steps\[1\]\.run: no pipeline \[value 0\]: EINVAL; one to 8/],
    [{ run: Array.from({ length: 9 }, () => ['cat']) }, /no pipeline \[value 9\]/],
    [{ run: ['cat', 'a\nb'] }, /steps\[1\]\.run\[1\]: a word of more than one line/],
    [{ run: ['cat', 7] }, /steps\[1\]\.run\[1\]: no word \[value 7\]/],
    [{ run: ['cat', ...Array.from({ length: 30 }, () => 'x')] }, /too many arguments \[value 31\]: E2BIG; at most 28/],
    [{ run: ['cat', 'x'.repeat(3000)] }, /arguments too long \[value 3005\]: E2BIG/],
    [{ run: [['cat'], ['gerp', 'x']] }, /steps\[1\]\.run\[1\]\[0\]: no such program \[value gerp\]/],
    [{ run: ['cat'], input: 'x' }, /steps\[1\]\.input: no path \[value x\]: EINVAL; paths begin with \//],
    [{ run: ['cat'], background: 'a b' }, /steps\[1\]\.background: no name of a job \[value a b\]/],
    [{ run: ['cat'], env: { 'a-b': '' } }, /steps\[1\]\.env: no name of a variable \[value a-b\]/],
    [{ wait: { job: 'x' } }, /steps\[1\]\.wait\.job: no job .* \[value x\]: ENOENT; name it/],
    [{ signal: 'SIGNOT', job: 'x' }, /steps\[1\]\.signal: no signal \[value SIGNOT\]: EINVAL; SIGHUP/],
    [{ signal: 'SIGTERM', job: 'x' }, /steps\[1\]\.job: no job/],
    [{ sleepUs: -1 }, /steps\[1\]\.sleepUs: no time \[value -1\]/],
    [{ untilUs: 0.5 }, /steps\[1\]\.untilUs: no time \[value 0\.5\]/],
    [{ repeat: -1, steps: [] }, /steps\[1\]\.repeat: no number of times \[value -1\]/],
    [{ repeat: 2, steps: [{ run: ['cat'] }, { sleepUs: Number.NaN }] }, /steps\[1\]\.steps\[1\]\.sleepUs: no time/],
    [{ sleep: 4 }, /steps\[1\]: no step \[value sleep\]: EINVAL; run, wait,/],
    [{}, /steps\[1\]: no step/],
  ])('%j', (step, message) => {
    expect(() => createSim({ script: [{ sleepUs: 1 }, step as SimStep] })).toThrow(message);
  });

  it('loops too deep and scripts too long as well', () => {
    const nested = (depth: number): SimStep => ({ repeat: 1, steps: depth === 0 ? [] : [nested(depth - 1)] });
    expect(() => createSim({ script: [nested(5)] })).not.toThrow();
    expect(() => createSim({ script: [nested(6)] })).toThrow(/too deep a loop \[value 7\]: EINVAL; at most 6/);
    const long = Array.from({ length: 700 }, (): SimStep => ({ run: ['cat', '/etc/motd', '/etc/passwd'] }));
    expect(() => createSim({ script: long })).toThrow(
      /steps: longer than a script may be .*E2BIG; at most 12288 bytes/,
    );
    const jobs = Array.from({ length: 17 }, (_, i): SimStep => ({ run: ['cat'], background: `job${i}` }));
    expect(() => createSim({ script: jobs })).toThrow(/steps\[16\]\.background: too many jobs \[value job16\]/);
  });
});

const clang = spawnSync('clang-19', ['--version']).status === 0 && spawnSync('ld.lld-19', ['--version']).status === 0;
describeWith('programs of one’s own', clang ? {} : { unavailable: 'no clang-19 and ld.lld-19' }, () => {
  it('are built with any compiler for x86_64, and their symbols are known', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kscope-program-'));
    const source = join(folder, 'own.c');
    writeFileSync(
      source,
      `static long call(long nr, long a, long b, long c) {
         long ret;
         __asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
         return ret;
       }
       __attribute__((noinline)) long shout(const char *text, long size) { return call(1, 1, (long)text, size); }
       void _start(void) { shout("own\\n", 4); call(231, 0, 0, 0); }`,
    );
    const flags = [
      '-target',
      'x86_64-linux-gnu',
      '-O1',
      '-ffreestanding',
      '-mgeneral-regs-only',
      '-nostdlib',
      '-static',
    ];
    const program = join(folder, 'own');
    const built = spawnSync('clang-19', [...flags, '-fuse-ld=lld', '-o', program, source], { encoding: 'utf8' });
    expect(built.stderr).toBe('');
    const host = createSim({ script: [{ run: ['own'] }], files: { '/bin/own': readFileSync(program) } });
    expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
    expect(host.console).toBe('own\n');
    expect(host.programs.get('/bin/own')?.lookup('shout')?.size).toBeGreaterThan(0n);
    rmSync(folder, { recursive: true });
  });
});
