import { describe, expect, it } from 'vitest';
import { JournalKind, type JournalEntry } from '../../src/host/sim/index.js';
import { createInterpreter, isBalanced } from '../../src/runtime/index.js';
import { type HookEvent, HookSession } from './hook-session.js';

const EACCES = 13n;

function expectSound(session: HookSession): void {
  expect(session.faults).toEqual([]);
  for (const row of session.machine.finalLedgerRows()) expect([row, isBalanced(row)]).toEqual([row, true]);
}

/** Task, bytes asked for, bytes or error. */
const asRead = ({ a, c, d }: JournalEntry): unknown => [a, c, BigInt.asIntN(64, d)];
const asReturned = ({ pid_tgid: task, args, ret }: HookEvent): unknown => [task, args[2], ret];

describe.each([
  ['compiled', undefined],
  ['interpreted', createInterpreter()],
])('fentry and fexit, %s', (_name, engine) => {
  const session = new HookSession(['on_fentry', 'on_fexit'], {
    workload: 'mixed',
    seed: 4,
    ...(engine === undefined ? {} : { engine }),
  }).run();
  const { host } = session;
  const reads = [...host.journal.entries(JournalKind.READ)].filter(({ b }) => b !== 0n);

  it('fexit sees the arguments and the result of each read that the journal knows', () => {
    const files = session.of('fexit');
    expect(reads.length).toBeGreaterThan(10);
    expect(files.map(asReturned)).toEqual(expect.arrayContaining(reads.map(asRead)));
    // bpf_get_func_ret gives what the context ends with.
    for (const { args, ret } of files) expect(args[3]).toBe(BigInt.asUintN(64, ret));
  });

  it('fentry sees the same calls with the same arguments, in the order of their beginning', () => {
    const entered = session.of('fentry');
    const key = ({ pid_tgid: task, args }: HookEvent): string => [task, args[0], args[1], args[2]].join();
    expect(entered.map(key).toSorted()).toEqual(session.of('fexit').map(key).toSorted());
    // bpf_get_func_arg(2) gives the third word, bpf_get_func_arg_cnt how many there are.
    for (const { args, ret } of entered) expect([args[3], BigInt.asUintN(64, ret)]).toEqual([4n, args[2]]);
  });

  it('typed arguments are followed like pointers in C', () => {
    const names = new Set(session.of('fentry').map(({ text }) => text));
    expect(names).toContain('motd');
    expect(new Set(session.of('fexit').map(({ text }) => text))).toEqual(names);
  });

  it('are told the function, their cookies and the stack from the function on', () => {
    for (const event of session.events) {
      expect(event.ip).toBe(session.address('vfs_read'));
      expect(event.cookie).toBe(event.hook === 'fentry' ? 100n : 101n);
      expect(session.stack(event).slice(0, 2)).toEqual(['vfs_read', 'ksys_read']);
    }
  });

  it('are no kprobes, and the books balance', () => {
    expect([...session.machine.kprobes.probes]).toEqual([]);
    expect([...session.machine.kretprobes.probes]).toEqual([]);
    expect(session.machine.links.map(({ info }) => info.hook)).toEqual(['fentry:vfs_read', 'fexit:vfs_read']);
    expectSound(session);
  });
});

describe('fmod_ret', () => {
  const session = new HookSession(['on_fmod_ret', 'on_denied', 'on_ksyscall', 'on_kretsyscall'], {
    workload: 'shell',
    seed: 2,
    constants: { deny_every: 3 },
  }).run();

  it('decides what the function returns, without its running', () => {
    const asked = session.of('fmod_ret');
    const answered = session.of('fexit denied').map(({ ret }) => ret);
    expect(asked.length).toBeGreaterThan(5);
    expect(answered).toEqual(asked.map((_, i) => ((i + 1) % 3 === 0 ? -EACCES : 0n)));
  });

  it('has the caller fail: openat answers EACCES to the programs that were refused', () => {
    const opened = session.of('kretsyscall').map(({ ret }) => ret);
    expect(opened).toContain(-EACCES);
    expect(opened.some((ret) => ret >= 0n)).toBe(true);
    const errors = [...session.host.journal.entries(JournalKind.OPEN)].map(({ d }) => BigInt.asIntN(64, d));
    expect(errors.filter((error) => error === -EACCES).length).toBeGreaterThan(0);
  });

  it('sees the result so far, the file, its cookie and the stack', () => {
    for (const event of session.of('fmod_ret')) {
      expect([event.ret, event.cookie, event.ip]).toEqual([0n, 100n, session.address('security_file_open')]);
      expect(session.stack(event).slice(0, 3)).toEqual(['security_file_open', 'do_dentry_open', 'vfs_open']);
    }
    expectSound(session);
  });

  it('comes behind the kprobes of the function, which miss nothing', () => {
    const both = new HookSession(['on_fmod_ret', 'on_kprobe', 'on_kretprobe'], {
      workload: 'shell',
      constants: { deny_every: 3 },
      attach: {
        on_kprobe: { target: { kind: 'kprobe', symbol: 'security_file_open', offset: 0 } },
        on_kretprobe: { target: { kind: 'kretprobe', symbol: 'security_file_open', maxactive: 0 } },
      },
    }).run();
    const asked = both.of('fmod_ret').map(({ args }) => args[0]);
    expect(both.of('kprobe').map(({ args }) => args[0])).toEqual(asked);
    expect(both.of('kretprobe').map(({ ret }) => BigInt.asIntN(32, ret))).toEqual(
      asked.map((_, i) => (i % 3 === 2 ? -EACCES : 0n)),
    );
    expectSound(both);
  });

  it('takes 38 programs at most', () => {
    const { machine, collection } = new HookSession(['on_fentry'], { workload: 'shell' });
    const program = collection.programs.get('on_fentry')?.program;
    if (program === undefined) throw new Error('the program is not there');
    const target = { kind: 'fentry', name: 'vfs_read' } as const;
    for (let i = 1; i < 38; i++) machine.attach(program, target);
    expect(() => machine.attach(program, target)).toThrow(/E2BIG; a function takes 38 programs/);
    machine.links[5].detach();
    machine.attach(program, target).pause();
    expect(machine.links).toHaveLength(38);
  });

  it('is refused where Linux lets nothing be made to fail', () => {
    const { machine, collection } = session;
    const program = collection.programs.get('on_fmod_ret')?.program;
    if (program === undefined) throw new Error('the program is not there');
    const attach = (name: string) => () => machine.attach(program, { kind: 'fmod_ret', name });
    expect(attach('vfs_read')).toThrow(/vfs_read\(\) is not modifiable.*EINVAL/);
    expect(attach('security_file_close')).toThrow(/security_file_close.*ESRCH.*no function of that name/);
    attach('__x64_sys_getpid')().detach();
    attach('add_to_page_cache_lru')().detach();
  });
});

describe('system calls by name', () => {
  const session = new HookSession(['on_ksyscall', 'on_kretsyscall'], { workload: 'shell', seed: 6 }).run();
  const OPENAT = 257n;

  it('a ksyscall program reads the arguments that the caller gave', () => {
    const entered = [...session.host.journal.entries(JournalKind.SYSCALL_ENTER)].filter(({ b }) => b === OPENAT);
    const paths = [...session.host.journal.entries(JournalKind.OPEN)].map(({ text }) => text);
    expect(entered.length).toBeGreaterThan(3);
    expect(session.of('ksyscall').map(({ pid_tgid: task, args }) => [task, args[0], args[1]])).toEqual(
      entered.map(({ a, c, d }) => [a, c, d]),
    );
    // A page that is not in memory yet reads as nothing.
    const texts = session.of('ksyscall').flatMap(({ text }) => (text === '' ? [] : [text]));
    expect(texts.length).toBeGreaterThan(3);
    expect(paths).toEqual(expect.arrayContaining(texts));
  });

  it('a kretsyscall program reads the result', () => {
    const left = [...session.host.journal.entries(JournalKind.SYSCALL_EXIT)].filter(({ b }) => b === OPENAT);
    expect(session.of('kretsyscall').map(({ pid_tgid: task, ret }) => [task, ret])).toEqual(
      left.map(({ a, c }) => [a, BigInt.asIntN(64, c)]),
    );
  });

  it('have the function of the architecture, cookies and stacks', () => {
    const ip = session.address('__x64_sys_openat');
    for (const event of session.of('ksyscall')) {
      expect([event.ip, event.cookie]).toEqual([ip, 100n]);
      expect(session.stack(event).slice(0, 2)).toEqual(['__x64_sys_openat', 'do_syscall_x64']);
    }
    for (const event of session.of('kretsyscall')) {
      expect([event.ip, event.cookie]).toEqual([ip, 101n]);
      expect(session.stack(event)[0]).toBe('do_syscall_x64');
    }
    expectSound(session);
  });
});
