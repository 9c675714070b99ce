import { describe, expect, test } from 'vitest';
import { createSim, JournalKind as Kind } from '../../../src/host/sim/index.js';
import { consoleOf, names } from './console-of.js';
import { violations } from './journal-laws.js';
import { journalOf, runToEnd } from './kernel-machine.js';

describe('directories are read', () => {
  test('with every name and its type, piece by piece', () => {
    const made = Array.from({ length: 40 }, (_, i) => `name${i}`);
    const script = [
      'op mkdir:/d',
      ...made.map((name) => `op create:/d/${name} close`),
      'names mkdir:/d/dir symlink:dir,/d/link rename:/d/name3,/d/last',
      'ls /d',
      'ls -l /d | grep -v lnk',
    ];
    const listed = [...made.filter((name) => name !== 'name3'), 'dir', 'link', 'last'];
    const { host } = journalOf({ cpus: 2, seed: 5, script: script.slice(0, -1).join('\n') });
    expect(host.console.split('\n').slice(3, -1)).toEqual(listed);
    const pieces = [...host.journal.entries(Kind.GETDENTS)].filter(({ c }) => c > 0n);
    expect(pieces.reduce((sum, { c }) => sum + Number(c), 0)).toBe(listed.length + 2);
    expect(pieces.length).toBeGreaterThan(1);
    expect(
      consoleOf('names mkdir:/d create:/d/f symlink:f,/d/l mkdir:/d/d\nls -l /d').split('\n').slice(4, -1),
    ).toEqual(['reg 1 0 f', 'lnk 1 1 l', 'dir 2 0 d']);
  });

  test('while they change, with each name that was there all the time once', () => {
    const script = [
      'op mkdir:/d create:/d/a close create:/d/b close create:/d/c close create:/d/d close create:/d/e close',
      'repeat 12',
      'names create:/d/x$i rename:/d/x$i,/d/y$i unlink:/d/y$i > /tmp/out &',
      'ls /d >> /tmp/seen',
      'end',
      'wait',
      'cat /tmp/seen',
    ].join('\n');
    const lines = consoleOf(script, { cpus: 4, seed: 11 }).trim().split('\n');
    for (const name of 'abcde') expect(lines.filter((line) => line === name)).toHaveLength(12);
  });

  test('below one another, over mounts', () => {
    const script = [
      'names mkdir:/d mkdir:/d/m mount:tmpfs,/d/m mkdir:/d/m/x create:/d/m/x/f create:/d/z > /tmp/out',
      'find /d',
      'umount /d/m',
      'find /d',
    ].join('\n');
    expect(consoleOf(script).split('\n').slice(0, -1)).toEqual(['/d/m', '/d/m/x', '/d/m/x/f', '/d/z', '/d/m', '/d/z']);
  });
});

describe('links', () => {
  test('a file has as many names as it was given, and goes with the last one', () => {
    expect(
      names('write:/a,hello', 'link:/a,/b', 'unlink:/a', 'read:/b', 'stat:/b', 'link:/b,/b', 'unlink:/b', 'read:/b'),
    ).toEqual(['5', '0', '0', 'hello 5', '8,1,5 0', '-17', '0', '-2']);
  });

  test.each([
    ['to a name beside it', ['mkdir:/d', 'write:/d/f,x', 'symlink:f,/d/l', 'read:/d/l', 'readlink:/d/l'], 'f 1'],
    ['into nothing', ['symlink:/none,/l', 'open:/l'], '-2'],
    ['into nothing, where a file is made', ['symlink:/made,/l', 'create:/l', 'open:/made'], '0'],
    ['but not if it must be new', ['symlink:/made,/l', 'excl:/l'], '-17'],
    ['to itself', ['symlink:l,/l', 'open:/l'], '-40'],
    ['not if links are not to be followed', ['symlink:/etc,/l', 'openl:/l'], '-40'],
    ['through a directory', ['symlink:/etc,/l', 'open:/l/motd'], '0'],
    ['a directory has no second name', ['mkdir:/d', 'link:/d,/e'], '-1'],
    ['nor has a file one on another file system', ['mkdir:/m', 'mount:tmpfs,/m', 'link:/etc/motd,/m/x'], '-18'],
  ])('lead %s', (_, operations, answer) => {
    expect(names(...operations).at(-1)).toBe(answer);
  });
});

describe('mounts', () => {
  test('what is mounted hides what is there, and is gone when it is unmounted', () => {
    const operations = [
      'mkdir:/m',
      'create:/m/below',
      'mount:tmpfs,/m',
      'write:/m/f,text',
      'ls:/m',
      'umount:/m',
      'ls:/m',
      'mount:tmpfs,/m',
      'ls:/m',
    ];
    expect(names(...operations).slice(3)).toEqual(['4', 'f 3', '0', 'below 3', '0', '2']);
  });

  test.each([
    ['in use', ['mkdir:/m', 'mount:tmpfs,/m', 'mkdir:/m/x', 'mount:tmpfs,/m/x', 'umount:/m'], '-16'],
    [
      'in use, but it need not be gone at once',
      ['mkdir:/m', 'mount:tmpfs,/m', 'mkdir:/m/x', 'mount:tmpfs,/m/x', 'lazy:/m'],
      '0',
    ],
    ['not mounted', ['umount:/etc'], '-22'],
    ['the root', ['umount:/'], '-22'],
    ['not there', ['umount:/none'], '-2'],
  ])('are not taken away if they are %s', (_, operations, answer) => {
    expect(names(...operations).at(-1)).toBe(answer);
  });

  test.each([
    ['no such kind', ['mount:nofs,/tmp'], '-19'],
    ['no such place', ['mount:tmpfs,/none'], '-2'],
    ['a file', ['mount:tmpfs,/etc/motd'], '-20'],
    ['a mountpoint removed', ['mkdir:/m', 'mount:tmpfs,/m', 'rmdir:/m'], '-16'],
    ['a mountpoint renamed', ['mkdir:/m', 'mount:tmpfs,/m', 'rename:/m,/n'], '-16'],
    ['a name moved to another', ['mkdir:/m', 'mount:tmpfs,/m', 'create:/x', 'rename:/x,/m/x'], '-18'],
  ])('are refused: %s', (_, operations, answer) => {
    expect(names(...operations).at(-1)).toBe(answer);
  });

  test('a tree can be had at two places, and `..` leads out where one came in', () => {
    const operations = [
      'mkdir:/m',
      'bind:/etc,/m',
      'write:/m/new,x',
      'read:/etc/new',
      'open:/m/../m/motd',
      'umount:/m',
      'ls:/m',
    ];
    expect(names(...operations)).toEqual(['0', '0', '1', 'x 1', '0', '0', '2']);
  });

  test('what is mounted to be read is not written', () => {
    const script = [
      'op mkdir:/m',
      'mount -r ext4 /dev/vda /m',
      'names read:/m/etc/hosts write:/m/etc/x,1 unlink:/m/etc/motd mkdir:/m/d',
    ];
    const told = consoleOf(script.join('\n')).trimEnd().split('\n').slice(-3);
    expect(told).toEqual(['write -30', 'unlink -30', 'mkdir -30']);
  });

  test('a process may have mounts of its own, which go with it', () => {
    const script = [
      'op mkdir:/m',
      'unshare names mount:tmpfs,/m write:/m/own,1 ls:/m',
      'names ls:/m mount:tmpfs,/m write:/m/all,1',
      'unshare names ls:/m umount:/m ls:/m',
      'names ls:/m',
    ];
    expect(consoleOf(script.join('\n')).trimEnd().split('\n')).toEqual([
      'mount 0',
      'write 1',
      'own ls 3',
      'ls 2',
      'mount 0',
      'write 1',
      'all ls 3',
      'umount 0',
      'ls 2',
      'all ls 3',
    ]);
  });

  test('programs run from tmpfs', () => {
    const script =
      'op mkdir:/m\nmount tmpfs none /m\ncp /bin/cat /m/cat\n/m/cat /etc/passwd | grep root > /m/x\nwc < /m/x';
    expect(consoleOf(script)).toMatch(/^1 \d+ \d+\n$/);
  });

  test.each([1, 4])('many come and go at once, and nothing is left of them: %i CPUs', (cpus) => {
    const script = [
      'op mkdir:/m',
      'repeat 6',
      'unshare names mount:tmpfs,/m mkdir:/m/d create:/m/d/f write:/m/g,text symlink:g,/m/l ls:/m > /tmp/a &',
      'names mount:tmpfs,/m write:/m/x,1 lazy:/m > /tmp/b &',
      'try find /m > /tmp/c &',
      'end',
      'wait',
    ].join('\n');
    const { host, entries, stop, status } = journalOf({ cpus, seed: 3, script });
    expect({ stop, status, oops: host.oops }).toEqual({ stop: 'finished', status: 0, oops: null });
    expect(violations(entries, cpus)).toEqual([]);
  });

  test('memory of file systems comes back', () => {
    const freePages = (rounds: number): number => {
      const script = `op mkdir:/m\nrepeat ${rounds}\nmount tmpfs none /m\ncp /src/parse.c /m/a\nnames mkdir:/m/d link:/m/a,/m/d/b symlink:a,/m/l > /m/out\numount /m\nend`;
      const host = createSim({ cpus: 1, seed: 2, script });
      expect(runToEnd(host)).toEqual({ stop: 'finished', status: 0 });
      const taken = [...host.journal.entries(Kind.PAGE_ALLOC)].reduce((sum, { b }) => sum + (1 << Number(b)), 0);
      const given = [...host.journal.entries(Kind.PAGE_FREE)].reduce((sum, { b }) => sum + (1 << Number(b)), 0);
      return taken - given;
    };
    expect(freePages(12) - freePages(4)).toBeLessThanOrEqual(1);
  });
});
