import { expect, it } from 'vitest';
import { BpfAttachType } from '../../src/base/index.js';
import { HookSession } from './hook-session.js';

const PROGRAMS = [
  'on_fentry',
  'on_fexit',
  'on_tp_btf',
  'on_raw_tp',
  'on_tracepoint',
  'on_kprobe',
  'on_kretprobe',
  'on_kprobe_multi',
  'on_ksyscall',
  'on_uprobe',
  'on_uretprobe',
  'on_sample',
];

it('links tell what BPF_OBJ_GET_INFO_BY_FD tells of them', () => {
  const symbols = ['vfs_open', 'vfs_write'];
  const session = new HookSession(PROGRAMS, {
    workload: 'shell',
    attach: { on_kprobe_multi: { target: { kind: 'kprobe_multi', on: 'entry', symbols, cookies: [5n, 6n] } } },
  });
  const { host, links, collection } = session;
  const info = (name: string): unknown => links.get(name)?.bpfInfo;
  const own = (name: string): object => ({
    id: links.get(name)?.id,
    prog_id: collection.programs.get(name)?.program.id,
  });
  const cookie = (name: string): bigint => BigInt(100 + [...collection.programs.keys()].indexOf(name));
  const read = session.address('vfs_read');
  const func = host.btf?.findByName('vfs_read', 'func')?.id;
  const open = host.programs.get('/bin/op')?.lookup('open')?.address ?? 0n;
  const tracing = (name: string, attach_type: number, target_btf_id: number | undefined): object => ({
    ...own(name),
    type: 2,
    attach_type,
    target_obj_id: 1,
    target_btf_id,
    cookie: cookie(name),
  });
  const perf = (name: string, fields: object): object => ({ ...own(name), type: 7, cookie: cookie(name), ...fields });
  const typedef = host.btf?.findByName('btf_trace_sched_switch', 'typedef')?.id;

  expect(info('on_fentry')).toEqual(tracing('on_fentry', BpfAttachType.BPF_TRACE_FENTRY, func));
  expect(info('on_fexit')).toEqual(tracing('on_fexit', BpfAttachType.BPF_TRACE_FEXIT, func));
  expect(info('on_tp_btf')).toEqual(tracing('on_tp_btf', BpfAttachType.BPF_TRACE_RAW_TP, typedef));
  expect(info('on_raw_tp')).toEqual({
    ...own('on_raw_tp'),
    type: 1,
    tp_name: 'sched_switch',
    cookie: cookie('on_raw_tp'),
  });
  expect(info('on_tracepoint')).toEqual(perf('on_tracepoint', { perf_event_type: 5, tp_name: 'sched_process_exit' }));
  const place = { func_name: 'vfs_read', offset: 0, addr: read, missed: 0n };
  expect(info('on_kprobe')).toEqual(perf('on_kprobe', { perf_event_type: 3, ...place }));
  expect(info('on_kretprobe')).toEqual(perf('on_kretprobe', { perf_event_type: 4, ...place }));
  const addrs = symbols.map((name) => session.address(name)).toSorted((a, b) => (a < b ? -1 : 1));
  expect(info('on_kprobe_multi')).toEqual({
    ...own('on_kprobe_multi'),
    type: 8,
    addrs,
    cookies: addrs.map((addr) => (addr === session.address('vfs_open') ? 5n : 6n)),
    flags: 0,
    missed: 0n,
  });
  const syscall = { func_name: '__x64_sys_openat', offset: 0, addr: session.address('__x64_sys_openat'), missed: 0n };
  expect(info('on_ksyscall')).toEqual(perf('on_ksyscall', { perf_event_type: 3, ...syscall }));
  const user = { file_name: '/bin/op', offset: expect.any(Number) };
  expect(info('on_uprobe')).toEqual(perf('on_uprobe', { perf_event_type: 1, ...user }));
  expect(info('on_uretprobe')).toEqual(perf('on_uretprobe', { perf_event_type: 2, ...user }));
  expect(open).toBeGreaterThan(0n);
  expect(info('on_sample')).toEqual(perf('on_sample', { perf_event_type: 6, event_type: 1, config: 0n }));
});

it('a link that is detached tells nothing any more', () => {
  const link = new HookSession(['on_kprobe'], { workload: 'shell' }).links.get('on_kprobe');
  link?.detach();
  expect(() => link?.bpfInfo).toThrow(/detached/);
});
