import { describe, expect, it } from 'vitest';
import { BpfAttachType, BpfProgType } from '../../src/base/index.js';
import { parseSectionName } from '../../src/loader/index.js';
import type { AttachTarget } from '../../src/runtime/index.js';
import { parseObject } from './objects.js';

const T = BpfProgType;

const targets: readonly (readonly [section: string, type: number, attach: AttachTarget])[] = [
  ['kprobe/vfs_read', T.BPF_PROG_TYPE_KPROBE, { kind: 'kprobe', symbol: 'vfs_read', offset: 0 }],
  ['kprobe/vfs_read+0x10', T.BPF_PROG_TYPE_KPROBE, { kind: 'kprobe', symbol: 'vfs_read', offset: 16 }],
  ['kprobe/vfs_read+16', T.BPF_PROG_TYPE_KPROBE, { kind: 'kprobe', symbol: 'vfs_read', offset: 16 }],
  ['kprobe/do_exit.isra.0', T.BPF_PROG_TYPE_KPROBE, { kind: 'kprobe', symbol: 'do_exit.isra.0', offset: 0 }],
  ['kretprobe/vfs_read', T.BPF_PROG_TYPE_KPROBE, { kind: 'kretprobe', symbol: 'vfs_read', maxactive: 0 }],
  [
    'tracepoint/sched/sched_switch',
    T.BPF_PROG_TYPE_TRACEPOINT,
    { kind: 'tracepoint', system: 'sched', name: 'sched_switch' },
  ],
  [
    'tp/irq/irq_handler_entry',
    T.BPF_PROG_TYPE_TRACEPOINT,
    { kind: 'tracepoint', system: 'irq', name: 'irq_handler_entry' },
  ],
  [
    'raw_tracepoint/sys_enter',
    T.BPF_PROG_TYPE_RAW_TRACEPOINT,
    { kind: 'raw_tracepoint', name: 'sys_enter', writable: false },
  ],
  [
    'raw_tp/sched_switch',
    T.BPF_PROG_TYPE_RAW_TRACEPOINT,
    { kind: 'raw_tracepoint', name: 'sched_switch', writable: false },
  ],
  [
    'raw_tp.w/nbd_send_request',
    T.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
    { kind: 'raw_tracepoint', name: 'nbd_send_request', writable: true },
  ],
  ['tp_btf/sched_switch', T.BPF_PROG_TYPE_TRACING, { kind: 'tp_btf', name: 'sched_switch' }],
  ['perf_event', T.BPF_PROG_TYPE_PERF_EVENT, { kind: 'perf_event' }],
];

describe('a section name that tells a target', () => {
  it.each(targets)('%s', (section, type, attach) => {
    expect(parseSectionName(section)).toEqual({
      section,
      type,
      attach,
      autoload: true,
      expectedAttachType: type === T.BPF_PROG_TYPE_TRACING ? BpfAttachType.BPF_TRACE_RAW_TP : 0,
    });
  });

  it.each([
    ['kprobe.multi/vfs_*', 'entry', 'vfs_*', BpfAttachType.BPF_TRACE_KPROBE_MULTI],
    ['kprobe.multi/vfs_rea?', 'entry', 'vfs_rea?', BpfAttachType.BPF_TRACE_KPROBE_MULTI],
    ['kretprobe.multi/do_exit.isra.0', 'return', 'do_exit.isra.0', BpfAttachType.BPF_TRACE_KPROBE_MULTI],
    ['kprobe.session/vfs_*+4', 'session', 'vfs_*', BpfAttachType.BPF_TRACE_KPROBE_SESSION],
  ] as const)('%s: functions by pattern', (section, on, pattern, expectedAttachType) => {
    const attach = { kind: 'kprobe_multi', on, pattern };
    expect(parseSectionName(section)).toMatchObject({ type: T.BPF_PROG_TYPE_KPROBE, expectedAttachType, attach });
  });

  it.each<[section: string, type: number, expectedAttachType: number, attach: AttachTarget]>([
    ['fentry/vfs_read', T.BPF_PROG_TYPE_TRACING, BpfAttachType.BPF_TRACE_FENTRY, { kind: 'fentry', name: 'vfs_read' }],
    ['fexit.s/vfs_read', T.BPF_PROG_TYPE_TRACING, BpfAttachType.BPF_TRACE_FEXIT, { kind: 'fexit', name: 'vfs_read' }],
    ['fmod_ret/open', T.BPF_PROG_TYPE_TRACING, BpfAttachType.BPF_MODIFY_RETURN, { kind: 'fmod_ret', name: 'open' }],
    ['iter.s/task', T.BPF_PROG_TYPE_TRACING, BpfAttachType.BPF_TRACE_ITER, { kind: 'iter', target: 'task' }],
    ['ksyscall/openat', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'ksyscall', syscall: 'openat' }],
    ['kretsyscall/openat', T.BPF_PROG_TYPE_KPROBE, 0, { kind: 'kretsyscall', syscall: 'openat' }],
  ])('%s: functions with types, system calls, walks', (section, type, expectedAttachType, attach) => {
    expect(parseSectionName(section)).toMatchObject({ type, expectedAttachType, attach });
  });

  it.each(['kprobe.multi', 'kprobe.multi/', 'kprobe.session/+4'])('%s tells no functions', (section) => {
    expect(parseSectionName(section).attach).toEqual({ kind: 'other', section });
  });

  it.each(['kprobe/vfs_read+0x99999999999999999999', 'kprobe/vfs_read+9007199254740993'])(
    '%s is none: no instruction stands there, and a number cannot hold it',
    (section) => expect(parseSectionName(section).attach).toEqual({ kind: 'other', section }),
  );

  it('a leading ? asks not to be loaded by default', () => {
    expect(parseSectionName('?kprobe/vfs_read')).toMatchObject({
      section: 'kprobe/vfs_read',
      autoload: false,
      attach: { kind: 'kprobe' },
    });
  });
});

const typed: readonly (readonly [section: string, type: number, expectedAttachType: number])[] = [
  ['kprobe', T.BPF_PROG_TYPE_KPROBE, 0],
  ['kprobe/not a symbol', T.BPF_PROG_TYPE_KPROBE, 0],
  ['kretprobe/vfs_read+4', T.BPF_PROG_TYPE_KPROBE, 0],
  ['uprobe', T.BPF_PROG_TYPE_KPROBE, 0],
  ['uretprobe//bin/true:main+4', T.BPF_PROG_TYPE_KPROBE, 0],
  ['tracepoint/sched', T.BPF_PROG_TYPE_TRACEPOINT, 0],
  ['ksyscall', T.BPF_PROG_TYPE_KPROBE, 0],
  ['fentry', T.BPF_PROG_TYPE_TRACING, BpfAttachType.BPF_TRACE_FENTRY],
  ['iter.s/', T.BPF_PROG_TYPE_TRACING, BpfAttachType.BPF_TRACE_ITER],
  ['raw_tp', T.BPF_PROG_TYPE_RAW_TRACEPOINT, 0],
  ['lsm/file_open', T.BPF_PROG_TYPE_LSM, BpfAttachType.BPF_LSM_MAC],
  ['socket', T.BPF_PROG_TYPE_SOCKET_FILTER, 0],
  ['xdp', T.BPF_PROG_TYPE_XDP, BpfAttachType.BPF_XDP],
  ['xdp/devmap', T.BPF_PROG_TYPE_XDP, BpfAttachType.BPF_XDP_DEVMAP],
  ['xdp/any_name', T.BPF_PROG_TYPE_XDP, BpfAttachType.BPF_XDP],
  ['tc', T.BPF_PROG_TYPE_SCHED_CLS, 0],
  ['tcx/ingress', T.BPF_PROG_TYPE_SCHED_CLS, BpfAttachType.BPF_TCX_INGRESS],
  ['classifier/ingress', T.BPF_PROG_TYPE_SCHED_CLS, 0],
  ['cgroup_skb/egress', T.BPF_PROG_TYPE_CGROUP_SKB, BpfAttachType.BPF_CGROUP_INET_EGRESS],
  ['cgroup/connect4', T.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BpfAttachType.BPF_CGROUP_INET4_CONNECT],
  ['struct_ops/init', T.BPF_PROG_TYPE_STRUCT_OPS, 0],
  ['syscall', T.BPF_PROG_TYPE_SYSCALL, 0],
  ['xdpanything', T.BPF_PROG_TYPE_UNSPEC, 0],
  ['whatever', T.BPF_PROG_TYPE_UNSPEC, 0],
];

describe('a section name that tells a type at most', () => {
  it.each(typed)('%s', (section, type, expectedAttachType) => {
    expect(parseSectionName(section)).toEqual({
      section,
      type,
      expectedAttachType,
      autoload: true,
      attach: { kind: 'other', section },
    });
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
