import { describe, expect, it } from 'vitest';
import { JournalKind } from '../../src/host/sim/index.js';
import { HookSession } from './hook-session.js';

const EFAULT = -14n;
const ENAMETOOLONG = -36n;

describe('what a program asks of the task and the file at hand', () => {
  const session = new HookSession(['on_open_asks'], { workload: 'shell', seed: 5 }).run();
  const asked = session.of('asks');

  it('bpf_d_path: the names of the files that are opened', () => {
    const opened = [...session.host.journal.entries(JournalKind.OPEN)]
      .filter(({ d }) => BigInt.asIntN(64, d) >= 0n)
      .map(({ text }) => text);
    const names = asked.map(({ text }) => text);
    expect(names.length).toBeGreaterThan(4);
    expect(names).toEqual(expect.arrayContaining(opened));
    // The boot opens a file whose path has no room in the event.
    const tooLong = asked.filter(({ ret }) => ret === ENAMETOOLONG);
    expect(tooLong.length).toBeLessThan(2);
    for (const { ret, text } of asked) if (ret !== ENAMETOOLONG) expect(Number(ret)).toBe(text.length + 1);
  });

  it('bpf_task_pt_regs: the registers with which the task came into the kernel', () => {
    for (const { args, pid_tgid: task } of asked) {
      expect(args[0] >> 47n).toBe(0n);
      expect(task).toBeGreaterThan(0n);
    }
    expect(asked.some(({ args }) => args[0] !== 0n)).toBe(true);
  });

  it('bpf_copy_from_user: the caller’s memory, or -EFAULT and zeros where a page is absent', () => {
    const text = new TextDecoder();
    const copied = asked.filter(({ args }) => args[2] === 0n);
    const paths = [...session.host.journal.entries(JournalKind.OPEN)].map((entry) => entry.text);
    const starts = copied.map(
      ({ args }) => text.decode(new Uint8Array(BigUint64Array.of(args[3]).buffer)).split('\0')[0],
    );
    const absolute = starts.filter((start) => start.startsWith('/'));
    expect(absolute.length).toBeGreaterThan(0);
    for (const start of absolute) expect(paths.some((path) => path.startsWith(start))).toBe(true);
    expect(copied.length).toBeGreaterThan(0);
    for (const { args } of asked)
      if (args[2] !== 0n) expect([BigInt.asIntN(64, args[2]), args[3]]).toEqual([EFAULT, 0n]);
  });

  it('bpf_get_task_stack: the stack of the current task', () => {
    for (const event of asked) expect(session.stack(event)[0]).toBe('security_file_open');
    expect(session.faults).toEqual([]);
  });
});

it('bpf_d_path: names over mounts and links are those that lead there from the root', () => {
  const script = [
    'names mkdir:/m mount:tmpfs,/m mkdir:/m/d mkdir:/m/d/e symlink:/m/d,/l write:/m/d/f,x',
    'names bind:/etc,/m/d/e read:/m/d/e/motd read:/l/f read:/m/../l/e/hosts',
    'unshare names mount:tmpfs,/m/d write:/m/d/own,x',
    'names umount:/m/d/e lazy:/m mkdir:/m/d write:/m/d/f,y',
  ].join('\n');
  const session = new HookSession(['on_open_asks'], { script, seed: 6 }).run();
  const opened = session.of('asks').map(({ text }) => text);
  const ofOurs = opened.filter((name) => /^\/(m\/|l\/|etc\/(motd|hosts))/.test(name));
  expect(ofOurs).toEqual(['/m/d/f', '/m/d/e/motd', '/m/d/f', '/m/d/e/hosts', '/m/d/own', '/m/d/f']);
  expect(session.faults).toEqual([]);
});
