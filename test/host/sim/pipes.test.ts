import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import { consoleOf, plumb } from './console-of.js';
import { violations } from './journal-laws.js';
import { journalOf, pidOf } from './kernel-machine.js';

const onDisk = (path: string): string =>
  readFileSync(new URL(`../../../src/host/sim/root/${path}`, import.meta.url), 'utf8');

describe('pipelines of the shell', () => {
  test('what one command writes the next one reads', () => {
    const text = onDisk('src/parse.c');
    const lines = text.split('\n').filter((line) => line.includes('return'));
    expect(consoleOf('cat /src/parse.c | grep return')).toBe(`${lines.join('\n')}\n`);
    const words = lines.join('\n').split(/\s+/).filter(Boolean).length;
    expect(consoleOf('cat /src/parse.c | grep return | wc')).toBe(
      `${lines.length} ${words} ${lines.join('\n').length + 1}\n`,
    );
  });

  test.each([
    ['into a file', 'cat /etc/motd > /tmp/x\ncat /tmp/x', onDisk('etc/motd')],
    [
      'behind what a file has',
      'cat /etc/motd > /tmp/x\ncat /etc/motd >> /tmp/x\ncat /tmp/x',
      onDisk('etc/motd').repeat(2),
    ],
    ['over what a file has', 'cat /src/main.c > /tmp/x\ncat /etc/motd > /tmp/x\ncat /tmp/x', onDisk('etc/motd')],
    [
      'from a file',
      'grep root < /etc/passwd',
      onDisk('etc/passwd')
        .split(/(?<=\n)/)
        .filter((line) => line.includes('root'))
        .join(''),
    ],
    ['of errors', 'try cat /none 2> /tmp/e\ncat /tmp/e', '/none: error 2\n'],
    ['of errors to where the output goes', 'try cat /none 2>&1 | grep error', '/none: error 2\n'],
    ['of the last of several', 'cat /src/main.c | grep nowhere-in-it > /tmp/x | wc\ncat /tmp/x', '0 0 0\n'],
  ])('output and input are redirected: %s', (_, script, console) => {
    expect(consoleOf(script)).toBe(console);
  });

  test('quotes keep blanks and counters as they are', () => {
    expect(consoleOf(`repeat 2\nX='a  $i' env | grep X=\nY="a  $i" env | grep Y=\nend`)).toBe(
      'X=a  $i\nY=a  0\nX=a  $i\nY=a  1\n',
    );
  });

  test('the status is that of the last command; `try` does not count it', () => {
    expect(journalOf({ cpus: 1, seed: 1, script: 'cat /none | cat' }).status).toBe(0);
    expect(journalOf({ cpus: 1, seed: 1, script: 'cat /etc/motd | cat /none' }).status).toBe(0x100);
    expect(journalOf({ cpus: 1, seed: 1, script: 'try cat /etc/motd | cat /none' }).status).toBe(0);
    expect(consoleOf('try op exit:7\nENDED=$? env | grep ENDED\ntry op poke:user\nENDED=$? env | grep ENDED')).toBe(
      'ENDED=7\nENDED=139\n',
    );
  });

  test('a writer whose reader is gone dies of SIGPIPE', () => {
    const { entries, status } = journalOf({ cpus: 2, seed: 5, script: 'pump 200000 4096 1 | plumb read:0,100' });
    expect(status).toBe(0);
    const delivered = entries.filter(({ kind, b }) => kind === Kind.SIGNAL_DELIVER && b === 13n);
    expect(delivered).toHaveLength(1);
    const exit = entries.find(({ kind, a }) => kind === Kind.EXIT && pidOf(a) === pidOf(delivered[0]?.a ?? 0n));
    expect(exit?.b).toBe(13n);
  });

  test('named jobs are waited for and sent signals', () => {
    const script = 'op sleep:900000000 & sleeper\ncat /etc/motd & quick\nwait quick\nkill 15 sleeper\nwait sleeper';
    const { entries, stop, status } = journalOf({ cpus: 2, seed: 2, script });
    expect({ stop, status }).toEqual({ stop: 'finished', status: 0 });
    expect(entries.filter(({ kind, b }) => kind === Kind.EXIT && b === 15n)).toHaveLength(1);
    expect(entries.at(-1)?.time).toBeLessThan(100_000_000n);
  });

  test('`until` waits for a time of the clock', () => {
    const { host } = journalOf({ cpus: 1, seed: 2, script: 'until 50000\ncat /etc/motd' });
    const opened = [...host.journal.entries(Kind.OPEN)].find(({ text }) => text === '/etc/motd');
    expect(Number(opened?.time)).toBeGreaterThan(50_000_000);
    expect(Number(opened?.time)).toBeLessThan(53_000_000);
  });
});

describe('descriptors', () => {
  test('a copy shares the place in the file, a second open does not', () => {
    expect(
      plumb('open:/src/main.c', 'dup:3', 'open:/src/main.c', 'read:3,100', 'tell:4', 'tell:5', 'seek:4,7', 'tell:3'),
    ).toEqual(['3', '4', '5', '100', '100', '0', '7', '7']);
  });

  test.each([
    ['the lowest that is free', ['open:/etc/motd', 'dup:3', 'close:3', 'dup:4'], ['3', '4', '0', '3']],
    ['the lowest from some on', ['open:/etc/motd', 'dupfd:3,10', 'dupfd:3,10', 'dupfd:3,32'], ['3', '10', '11', '-22']],
    [
      'one that is asked for, whatever it was',
      ['open:/etc/motd', 'pipe', 'dup2:3,5', 'tell:5', 'dup2:3,3'],
      ['3', '405', '5', '0', '3'],
    ],
    [
      'not its own by dup3',
      ['open:/etc/motd', 'dup3:3,3', 'dup3:3,7', 'getfd:7', 'getfd:3'],
      ['3', '-22', '7', '1', '0'],
    ],
    ['none of a file that is not open', ['dup:9', 'dup2:9,1', 'dup2:1,32', 'getfl:9'], ['-9', '-9', '-9', '-9']],
    ['no more than there are', ['dupfd:1,31', 'dupfd:1,31'], ['31', '-24']],
  ])('dup gives %s', (_, operations, answers) => {
    expect(plumb(...operations)).toEqual(answers);
  });

  test('those that close on exec are closed', () => {
    const script = 'plumb dup3:1,20 write:20,0\nop open:/etc/motd\nplumb getfd:3';
    expect(consoleOf(script)).toBe('dup3 20\nwrite 0\ngetfd -9\n');
  });
});

describe('pipes', () => {
  test.each([
    [
      '16 pages',
      ['pipen', 'write:4,65536', 'write:4,1', 'read:3,65536', 'read:3,1'],
      ['304', '65536', '-11', '65536', '-11'],
    ],
    [
      'as many small writes as fill a page',
      ['pipen', 'write:4,2000', 'write:4,2000', 'write:4,96', 'write:4,60000', 'write:4,2000'],
      ['304', '2000', '2000', '96', '60000', '-11'],
    ],
    [
      'no part of an atomic write that does not fit',
      [
        'pipen',
        'write:4,61440',
        'write:4,3000',
        'write:4,1500',
        'read:3,4095',
        'write:4,1500',
        'read:3,1',
        'write:4,1500',
      ],
      ['304', '61440', '3000', '-11', '4095', '-11', '1', '1500'],
    ],
    ['part of a longer one', ['pipen', 'write:4,60000', 'write:4,9000'], ['304', '60000', '4904']],
  ])('hold %s', (_, operations, answers) => {
    expect(plumb(...operations)).toEqual(answers);
  });

  test.each([
    [
      'has no writer: the end',
      ['pipe', 'write:4,10', 'close:4', 'read:3,100', 'read:3,100'],
      ['304', '10', '0', '10', '0'],
    ],
    ['has no reader: EPIPE', ['ignore:13', 'pipe', 'close:3', 'write:4,10'], ['0', '304', '0', '-32']],
    ['is used the wrong way round', ['pipe', 'read:4,1', 'write:3,1', 'seek:3,0'], ['304', '-9', '-9', '-29']],
    [
      'has nobody at the other end but does not block',
      ['pipen', 'read:3,1', 'getfl:3', 'getfl:4'],
      ['304', '-11', '2048', '2049'],
    ],
  ])('that %s', (_, operations, answers) => {
    expect(plumb(...operations)).toEqual(answers);
  });

  test.each([1, 2, 5])('writes of up to PIPE_BUF come out in one piece, whoever else writes: %i CPUs', (cpus) => {
    const { host, entries, stop, status } = journalOf({
      cpus,
      seed: 9 + cpus,
      script: 'pump records 60 1300 65 | pump check 1300\nwriters 4 40 900 | pump check 900',
    });
    expect({ stop, status, console: host.console }).toEqual({ stop: 'finished', status: 0, console: '60\n160\n' });
    expect(violations(entries, cpus)).toEqual([]);
  });
});

describe('poll and epoll', () => {
  const IN = 1;
  const OUT = 4;
  const ET = 2 ** 31;
  const ONESHOT = 2 ** 30;

  test.each([
    ['an empty pipe to read', ['pipe', `poll:3,${IN}`], '0'],
    ['a pipe with bytes to read', ['pipe', 'write:4,5', `poll:3,${IN}`], '1'],
    ['a pipe whose writer is gone', ['pipe', 'close:4', `poll:3,${IN}`], '16'],
    ['a pipe with room', ['pipe', `poll:4,${OUT}`], '4'],
    ['a full pipe', ['pipe', 'write:4,65536', `poll:4,${OUT}`], '0'],
    ['a pipe whose reader is gone', ['pipe', 'close:3', `poll:4,${OUT}`], '12'],
    ['a file', ['open:/etc/motd', `poll:3,${IN + OUT}`], '5'],
    ['the console', [`poll:1,${OUT}`], '4'],
    ['what is not open', [`poll:9,${IN}`], '32'],
  ])('poll of %s', (_, operations, answer) => {
    expect(plumb(...operations).at(-1)).toBe(answer);
  });

  test('by level a file is told of as long as it is ready, by edge when it becomes so, and once if that was asked for', () => {
    const watch = (events: number): string[] => [
      'pipe',
      'epoll',
      `add:5,3,${events}`,
      'wait:5,4',
      'write:4,10',
      'wait:5,4',
      'wait:5,4',
      'read:3,4',
      'wait:5,4',
      'write:4,1',
      'wait:5,4',
    ];
    const waits = (events: number): string[] => plumb(...watch(events)).filter((_, i) => [3, 5, 6, 8, 10].includes(i));
    expect(waits(IN)).toEqual(['0', '3=1 1', '3=1 1', '3=1 1', '3=1 1']);
    expect(waits(IN + ET)).toEqual(['0', '3=1 1', '0', '0', '3=1 1']);
    expect(waits(IN + ONESHOT)).toEqual(['0', '3=1 1', '0', '0', '0']);
  });

  test('what was asked for once is told again when it is asked for again', () => {
    const operations = [
      'pipe',
      'epoll',
      `add:5,4,${OUT + ONESHOT}`,
      'wait:5,4',
      'wait:5,4',
      `mod:5,4,${OUT}`,
      'wait:5,4',
    ];
    expect(plumb(...operations).slice(3)).toEqual(['4=4 1', '0', '0', '4=4 1']);
  });

  test.each([
    ['a file of the disk', ['epoll', 'open:/etc/motd', 'add:3,4,1'], '-1'],
    ['itself', ['epoll', 'add:3,3,1'], '-22'],
    ['another epoll', ['epoll', 'epoll', 'add:3,4,1'], '-40'],
    ['a file twice', ['epoll', 'add:3,1,4', 'add:3,1,4'], '-17'],
    ['no file', ['epoll', 'add:3,9,1'], '-9'],
    ['by what is no epoll', ['pipe', 'add:3,4,1'], '-22'],
    ['no longer what it did not watch', ['epoll', 'del:3,1'], '-2'],
    ['for no events at all', ['epoll', 'wait:3,0'], '-22'],
  ])('an epoll does not watch %s', (_, operations, answer) => {
    expect(plumb(...operations).at(-1)).toBe(answer);
  });

  test('a file that is closed is watched no more', () => {
    expect(plumb('pipe', 'epoll', 'add:5,3,1', 'write:4,1', 'close:3', 'wait:5,4').at(-1)).toBe('0');
  });

  test.each([1, 3])('one process waits for many: %i CPUs', (cpus) => {
    const { host, entries, stop, status } = journalOf({ cpus, seed: 4, script: 'relay 6 8\nrelay -p 6 8' });
    expect({ stop, status, console: host.console }).toEqual({
      stop: 'finished',
      status: 0,
      console: '48 lines\n48 lines\n',
    });
    expect(violations(entries, cpus)).toEqual([]);
    const waits = entries.filter(({ kind, b }) => kind === Kind.SYSCALL_ENTER && b === 232n);
    expect(waits.length).toBeGreaterThan(8);
  });

  test('a wait ends when its time is up', () => {
    const { host } = journalOf({ cpus: 1, seed: 4, script: 'relay -p 1 1' });
    const polls = [...host.journal.entries()].filter(({ b, kind }) => b === 7n && kind === Kind.SYSCALL_EXIT);
    expect(polls.length).toBeGreaterThan(0);
    const { entries } = journalOf({ cpus: 2, seed: 4, script: 'nap 30 poll\nnap 30 epoll' });
    for (const number of [7n, 232n]) {
      const [enter] = entries.filter(({ kind, b }) => kind === Kind.SYSCALL_ENTER && b === number);
      const [exit] = entries.filter(({ kind, b }) => kind === Kind.SYSCALL_EXIT && b === number);
      expect(exit?.c).toBe(0n);
      const slept = Number((exit?.time ?? 0n) - (enter?.time ?? 0n));
      expect(slept).toBeGreaterThanOrEqual(30_000_000);
      expect(slept).toBeLessThan(32_000_000);
    }
  });

  test('ppoll waits with other signals blocked, and has the old ones back afterwards', () => {
    const { host, entries, status } = journalOf({ cpus: 2, seed: 4, script: 'nap 30 ppoll' });
    expect({ status, console: host.console }).toEqual({ status: 0, console: 'EINTR, handled 1, blocked 200\n' });
    const waited = entries.filter(({ kind, b }) => kind === Kind.SYSCALL_EXIT && b === 271n);
    // ERESTARTNOHAND, which the program sees as EINTR.
    expect(waited.map(({ c }) => BigInt.asIntN(64, c))).toEqual([-514n]);
  });
});
