import { describe, expect, it } from 'vitest';
import { BpfAttachType, BpfProgType } from '../../src/base/index.js';
import { parseSectionName } from '../../src/loader/index.js';
import { sectionDefinitions } from '../../src/loader/section-definitions.js';
import type { AttachTarget } from '../../src/runtime/index.js';
import { describeWithLibbpf } from '../oracle/libbpf.js';
import { parseObject } from './objects.js';

const T = BpfProgType;
const A = BpfAttachType;

const targets: readonly (readonly [section: string, type: number, expected: number, attach: AttachTarget])[] = [
  ['kprobe/vfs_read', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'kprobe', symbol: 'vfs_read', offset: 0 }],
  ['kprobe/vfs_read+0x10', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'kprobe', symbol: 'vfs_read', offset: 16 }],
  ['kprobe/vfs_read+16', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'kprobe', symbol: 'vfs_read', offset: 16 }],
  ['kprobe/vfs_read+010', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'kprobe', symbol: 'vfs_read', offset: 8 }],
  ['kprobe/vfs_read and more', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'kprobe', symbol: 'vfs_read', offset: 0 }],
  ['kprobe/do_exit.isra.0', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'kprobe', symbol: 'do_exit.isra.0', offset: 0 }],
  ['kretprobe/vfs_read', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'kretprobe', symbol: 'vfs_read', maxactive: 0 }],
  [
    'kprobe.multi/vfs_*',
    T.BPF_PROG_TYPE_KPROBE,
    A.BPF_TRACE_KPROBE_MULTI,
    { kind: 'kprobe_multi', on: 'entry', pattern: 'vfs_*' },
  ],
  [
    'kretprobe.multi/do_exit.isra.0',
    T.BPF_PROG_TYPE_KPROBE,
    A.BPF_TRACE_KPROBE_MULTI,
    { kind: 'kprobe_multi', on: 'return', pattern: 'do_exit.isra.0' },
  ],
  [
    'kprobe.session/vfs_*+4',
    T.BPF_PROG_TYPE_KPROBE,
    A.BPF_TRACE_KPROBE_SESSION,
    { kind: 'kprobe_multi', on: 'session', pattern: 'vfs_*' },
  ],
  ['ksyscall/openat', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'ksyscall', syscall: 'openat' }],
  ['kretsyscall/openat', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'kretsyscall', syscall: 'openat' }],
  [
    'uprobe//bin/true:main+0x8',
    T.BPF_PROG_TYPE_KPROBE,
    0,
    { kind: 'uprobe', path: '/bin/true', symbol: 'main', offset: 8 },
  ],
  [
    'uprobe.s//lib/libc.so.6:malloc@GLIBC_2.2.5',
    T.BPF_PROG_TYPE_KPROBE,
    0,
    { kind: 'uprobe', path: '/lib/libc.so.6', symbol: 'malloc@GLIBC_2.2.5', offset: 0 },
  ],
  [
    'uretprobe/libc.so.6:malloc',
    T.BPF_PROG_TYPE_KPROBE,
    0,
    { kind: 'uretprobe', path: 'libc.so.6', symbol: 'malloc', offset: 0 },
  ],
  [
    'uprobe.multi//bin/true:*',
    T.BPF_PROG_TYPE_KPROBE,
    A.BPF_TRACE_UPROBE_MULTI,
    { kind: 'uprobe_multi', on: 'entry', path: '/bin/true', pattern: '*' },
  ],
  [
    'uretprobe.multi.s//bin/true:ma?n',
    T.BPF_PROG_TYPE_KPROBE,
    A.BPF_TRACE_UPROBE_MULTI,
    { kind: 'uprobe_multi', on: 'return', path: '/bin/true', pattern: 'ma?n' },
  ],
  [
    'usdt//bin/python3:python:function__entry',
    T.BPF_PROG_TYPE_KPROBE,
    0,
    { kind: 'usdt', path: '/bin/python3', provider: 'python', name: 'function__entry' },
  ],
  [
    'tracepoint/sched/sched_switch',
    T.BPF_PROG_TYPE_TRACEPOINT,
    0,
    { kind: 'tracepoint', system: 'sched', name: 'sched_switch' },
  ],
  [
    'tp/irq/irq_handler_entry',
    T.BPF_PROG_TYPE_TRACEPOINT,
    0,
    { kind: 'tracepoint', system: 'irq', name: 'irq_handler_entry' },
  ],
  [
    'raw_tracepoint/sys_enter',
    T.BPF_PROG_TYPE_RAW_TRACEPOINT,
    0,
    { kind: 'raw_tracepoint', name: 'sys_enter', writable: false },
  ],
  [
    'raw_tp/sched_switch',
    T.BPF_PROG_TYPE_RAW_TRACEPOINT,
    0,
    { kind: 'raw_tracepoint', name: 'sched_switch', writable: false },
  ],
  [
    'raw_tp.w/nbd_send_request',
    T.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
    0,
    { kind: 'raw_tracepoint', name: 'nbd_send_request', writable: true },
  ],
  ['tp_btf/sched_switch', T.BPF_PROG_TYPE_TRACING, A.BPF_TRACE_RAW_TP, { kind: 'tp_btf', name: 'sched_switch' }],
  ['fentry/vfs_read', T.BPF_PROG_TYPE_TRACING, A.BPF_TRACE_FENTRY, { kind: 'fentry', name: 'vfs_read' }],
  ['fexit.s/vfs_read', T.BPF_PROG_TYPE_TRACING, A.BPF_TRACE_FEXIT, { kind: 'fexit', name: 'vfs_read' }],
  ['fmod_ret/should_fail', T.BPF_PROG_TYPE_TRACING, A.BPF_MODIFY_RETURN, { kind: 'fmod_ret', name: 'should_fail' }],
  ['iter/bpf_map_elem', T.BPF_PROG_TYPE_TRACING, A.BPF_TRACE_ITER, { kind: 'iter', target: 'bpf_map_elem' }],
  ['iter.s/task', T.BPF_PROG_TYPE_TRACING, A.BPF_TRACE_ITER, { kind: 'iter', target: 'task' }],
  ['freplace/handle', T.BPF_PROG_TYPE_EXT, 0, { kind: 'freplace', name: 'handle' }],
  ['lsm/file_open', T.BPF_PROG_TYPE_LSM, A.BPF_LSM_MAC, { kind: 'lsm', name: 'file_open', cgroup: false }],
  ['lsm_cgroup/socket_bind', T.BPF_PROG_TYPE_LSM, A.BPF_LSM_CGROUP, { kind: 'lsm', name: 'socket_bind', cgroup: true }],
  ['struct_ops/select_cpu', T.BPF_PROG_TYPE_STRUCT_OPS, 0, { kind: 'struct_ops', member: 'select_cpu' }],
  ['perf_event', T.BPF_PROG_TYPE_PERF_EVENT, 0, { kind: 'perf_event' }],
  ['xdp', T.BPF_PROG_TYPE_XDP, A.BPF_XDP, { kind: 'net', hook: 'xdp', attachType: A.BPF_XDP }],
  ['tcx/ingress', T.BPF_PROG_TYPE_SCHED_CLS, A.BPF_TCX_INGRESS, { kind: 'net', hook: 'tcx/ingress', attachType: 46 }],
  ['netkit/peer', T.BPF_PROG_TYPE_SCHED_CLS, A.BPF_NETKIT_PEER, { kind: 'net', hook: 'netkit/peer', attachType: 55 }],
  ['socket', T.BPF_PROG_TYPE_SOCKET_FILTER, 0, { kind: 'net', hook: 'socket', attachType: 0 }],
  [
    'cgroup/connect4',
    T.BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
    A.BPF_CGROUP_INET4_CONNECT,
    { kind: 'cgroup', hook: 'cgroup/connect4', attachType: A.BPF_CGROUP_INET4_CONNECT },
  ],
];

describe('a section name that tells a target', () => {
  it.each(targets)('%s', (section, type, expectedAttachType, attach) => {
    const sleepable = /\.s\//.test(section);
    const meaning = { section, type, expectedAttachType, attach, autoload: true, sleepable, xdpFrags: false };
    expect(parseSectionName(section)).toMatchObject(meaning);
  });

  it('a leading ? asks not to be loaded by default', () => {
    expect(parseSectionName('?kprobe/vfs_read')).toMatchObject({
      section: 'kprobe/vfs_read',
      autoload: false,
      attach: { kind: 'kprobe' },
    });
  });
});

const untold: readonly (readonly [section: string, type: number, why: 'unknown' | 'no_target' | 'malformed'])[] = [
  ['kprobe', T.BPF_PROG_TYPE_KPROBE, 'no_target'],
  ['uprobe', T.BPF_PROG_TYPE_KPROBE, 'no_target'],
  ['kprobe.multi', T.BPF_PROG_TYPE_KPROBE, 'no_target'],
  ['ksyscall', T.BPF_PROG_TYPE_KPROBE, 'no_target'],
  ['raw_tp', T.BPF_PROG_TYPE_RAW_TRACEPOINT, 'no_target'],
  ['fentry', T.BPF_PROG_TYPE_TRACING, 'no_target'],
  ['struct_ops', T.BPF_PROG_TYPE_STRUCT_OPS, 'no_target'],
  ['syscall', T.BPF_PROG_TYPE_SYSCALL, 'no_target'],
  ['kprobe/', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['kprobe/-', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['kprobe/vfs_read+0x99999999999999999999', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['kprobe/vfs_read+9007199254740993', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['kprobe/vfs_read+-4', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['kretprobe/vfs_read+4', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['kprobe.multi/', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['kprobe.session/+4', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['uprobe//bin/true', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['uretprobe//bin/true:main+4', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['uprobe.multi//bin/true', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['usdt//bin/true:provider', T.BPF_PROG_TYPE_KPROBE, 'malformed'],
  ['tracepoint/sched', T.BPF_PROG_TYPE_TRACEPOINT, 'malformed'],
  ['fentry/', T.BPF_PROG_TYPE_TRACING, 'malformed'],
  ['iter.s/', T.BPF_PROG_TYPE_TRACING, 'malformed'],
  ['xdp/any_name', T.BPF_PROG_TYPE_UNSPEC, 'unknown'],
  ['classifier/ingress', T.BPF_PROG_TYPE_UNSPEC, 'unknown'],
  ['xdpanything', T.BPF_PROG_TYPE_UNSPEC, 'unknown'],
  ['whatever', T.BPF_PROG_TYPE_UNSPEC, 'unknown'],
];

describe('a section name that tells a type at most', () => {
  it.each(untold)('%s', (section, type, why) => {
    expect(parseSectionName(section)).toMatchObject({ section, type, attach: { kind: 'other', section, why } });
  });
});

describe('what libbpf does with programs of a section', () => {
  it.each([
    ['kprobe/vfs_read', true],
    ['kprobe', false],
    ['uprobe/', true],
    ['tp', false],
    ['fentry', true],
    ['lsm/file_open', true],
    ['lsm_cgroup/socket_bind', false],
    ['struct_ops/init', false],
    ['xdp', false],
    ['perf_event', false],
    ['whatever', false],
  ])('%s: attaches them on its own: %s', (section, autoattach) => {
    expect(parseSectionName(section).autoattach).toBe(autoattach);
  });

  it.each(['fentry.s/f', 'lsm.s/f', 'iter.s/task', 'usdt.s/a:b:c', 'uprobe.multi.s/a:b', 'struct_ops.s/f', 'syscall'])(
    '%s may sleep',
    (section) => expect(parseSectionName(section).sleepable).toBe(true),
  );

  it.each([
    ['xdp.frags', true],
    ['xdp.frags/devmap', true],
    ['xdp/devmap', false],
  ])('%s takes fragments: %s', (section, xdpFrags) => expect(parseSectionName(section).xdpFrags).toBe(xdpFrags));
});

describeWithLibbpf('section names', (libbpf) => {
  /** Session uprobes came with libbpf 1.6. */
  const known = sectionDefinitions.map(({ prefix }) => prefix).filter((prefix) => !prefix.startsWith('uprobe.session'));
  const names = known.flatMap((prefix) => [prefix, `${prefix}/name`, `${prefix}x`, `${prefix}/`, `${prefix}.s`]);

  it('have the program type and expected attach type that libbpf gives them', () => {
    const ours = names.map((name) => {
      const { type, expectedAttachType } = parseSectionName(name);
      return type === 0 ? `${name}: unknown` : `${name}: ${type} ${expectedAttachType}`;
    });
    const answers = libbpf.sections(names);
    expect(ours).toEqual(
      names.map((name, i) => {
        const answer = answers[i];
        return answer === null ? `${name}: unknown` : `${name}: ${answer?.type} ${answer?.expectedAttachType}`;
      }),
    );
    expect(known.length).toBeGreaterThan(100);
  });
});

it('every program of an object has the meaning of its section', () => {
  const spec = parseObject('sections-clang-19-v3.o');
  expect(spec.programs).toHaveLength(23);
  expect(spec.program('kprobe_offset')).toMatchObject({
    section: 'kprobe/vfs_read+0x10',
    attach: { symbol: 'vfs_read', offset: 16 },
  });
  expect(spec.programs.filter(({ autoload }) => !autoload).map(({ name }) => name)).toEqual(['not_now']);
});
