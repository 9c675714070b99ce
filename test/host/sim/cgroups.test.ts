import { describe, expect, test } from 'vitest';
import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import { consoleOf, names } from './console-of.js';
import { violations } from './journal-laws.js';
import { journalOf } from './kernel-machine.js';

const TOP = '/sys/fs/cgroup';

describe('control groups', () => {
  test('groups are directories, and processes are where they are put', () => {
    const script = [
      `names mkdir:${TOP}/a mkdir:${TOP}/a/b > /tmp/out`,
      `op sleep:400000 & sleeper`,
      `cgexec ${TOP}/a/b cat ${TOP}/a/b/cgroup.procs | wc`,
      `cat ${TOP}/a/b/cgroup.procs | wc`,
      `cat ${TOP}/a/cgroup.stat`,
      `find ${TOP}/a`,
      'kill 9 sleeper',
    ].join('\n');
    expect(consoleOf(script).split('\n').slice(0, -1)).toEqual([
      '1 1 2',
      '0 0 0',
      'nr_descendants 1',
      `${TOP}/a/cgroup.procs`,
      `${TOP}/a/cgroup.stat`,
      `${TOP}/a/b`,
      `${TOP}/a/b/cgroup.procs`,
      `${TOP}/a/b/cgroup.stat`,
    ]);
  });

  test.each([
    ['there are some at boot', [`ls:${TOP}`], 'cgroup.procs cgroup.stat init.scope system.slice user.slice 7'],
    ['one with a process in it stays', [`write:${TOP}/user.slice/cgroup.procs,0`, `rmdir:${TOP}/user.slice`], '-16'],
    ['one with another in it stays', [`mkdir:${TOP}/user.slice/x`, `rmdir:${TOP}/user.slice`], '-16'],
    ['an empty one goes with its files', [`rmdir:${TOP}/user.slice`, `open:${TOP}/user.slice/cgroup.procs`], '-2'],
    ['no such process', [`write:${TOP}/user.slice/cgroup.procs,999`], '-3'],
    ['no number', [`write:${TOP}/user.slice/cgroup.procs,1x`], '-22'],
    ['a file that is only read', [`write:${TOP}/cgroup.stat,1`], '-22'],
    ['no other files', [`create:${TOP}/file`], '-1'],
    ['nor other names of files', [`link:${TOP}/cgroup.procs,${TOP}/other`], '-1'],
    [
      'the same tree wherever it is mounted',
      ['mkdir:/c', 'mount:cgroup2,/c', 'mkdir:/c/new', `ls:${TOP}/new`],
      'cgroup.procs cgroup.stat 4',
    ],
  ])('%s', (_, operations, answer) => {
    expect(names(...operations).at(-1)).toBe(answer);
  });

  test('children are where their parent is, threads where their process is', () => {
    const { entries } = journalOf({
      cpus: 2,
      seed: 3,
      script: `cgexec ${TOP}/system.slice workers 3 4\ncat ${TOP}/system.slice/cgroup.procs | wc`,
    });
    expect(entries.filter(({ kind }) => kind === Kind.CGROUP_ATTACH).map(({ text }) => text)).toEqual([
      '/init.scope',
      '/system.slice',
    ]);
  });

  test.each([1, 4])('many come, are filled, emptied and go: %i CPUs', (cpus) => {
    const group = `${TOP}/g$i`;
    const script = [
      'repeat 5',
      `names mkdir:${group} mkdir:${group}/in > /tmp/a$i`,
      `cgexec ${group}/in op fork threads:2 sleep:300 &`,
      `cgexec ${group} cat /etc/motd > /tmp/b$i &`,
      `try names rmdir:${group}/in rmdir:${group} ls:${TOP} > /tmp/c$i &`,
      'end',
      'wait',
    ].join('\n');
    const { host, entries, stop } = journalOf({ cpus, seed: 5, script });
    expect({ stop, oops: host.oops }).toEqual({ stop: 'finished', oops: null });
    expect(violations(entries, cpus)).toEqual([]);
  });
});
