import { BpfAttachType, BpfError, BpfProgType } from '../base/index.js';
import { type Host, nearestNames, syscallFunction, whyNoFunction } from '../host/index.js';
import type { IterOptions } from '../iter/index.js';
import type { KprobePlace } from '../kprobe/index.js';
import type { AttachTarget, BpfProgram, Runtime } from '../runtime/index.js';
import type { Hook } from './hooks/hook.js';
import { iterHook } from './hooks/iter-hook.js';
import { kprobeHook, kprobeMultiHook, kretprobeHook } from './hooks/kprobe-hook.js';
import { perfHook, type SamplingOptions } from './hooks/perf-hook.js';
import { uprobeHook, usdtHook } from './hooks/uprobe-hook.js';
import { trampolineHook } from './hooks/trampoline-hook.js';
import { rawTracepointHook, tracepointHook } from './hooks/tracepoint-hook.js';
import type { Registries } from './registries.js';
import { resolveUsdt, resolveUserPlace } from './user-places.js';

type KindOf<K extends AttachTarget['kind']> = Extract<AttachTarget, { kind: K }>;

/** Hooks that kscope knows by name and machines do not have. */
const ABSENT = ['freplace', 'lsm', 'struct_ops', 'cgroup', 'net', 'uprobe_multi'] as const;
type AbsentTarget = KindOf<(typeof ABSENT)[number]>;
type PresentTarget = Exclude<AttachTarget, AbsentTarget | KindOf<'other'>>;

/** Program types that fit each kind of hook. */
const TYPES: Readonly<Record<PresentTarget['kind'], readonly number[]>> = {
  tracepoint: [BpfProgType.BPF_PROG_TYPE_TRACEPOINT],
  raw_tracepoint: [BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT, BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE],
  tp_btf: [BpfProgType.BPF_PROG_TYPE_TRACING],
  kprobe: [BpfProgType.BPF_PROG_TYPE_KPROBE],
  kretprobe: [BpfProgType.BPF_PROG_TYPE_KPROBE],
  kprobe_multi: [BpfProgType.BPF_PROG_TYPE_KPROBE],
  ksyscall: [BpfProgType.BPF_PROG_TYPE_KPROBE],
  kretsyscall: [BpfProgType.BPF_PROG_TYPE_KPROBE],
  fentry: [BpfProgType.BPF_PROG_TYPE_TRACING],
  fexit: [BpfProgType.BPF_PROG_TYPE_TRACING],
  fmod_ret: [BpfProgType.BPF_PROG_TYPE_TRACING],
  iter: [BpfProgType.BPF_PROG_TYPE_TRACING],
  perf_event: [BpfProgType.BPF_PROG_TYPE_PERF_EVENT],
  uprobe: [BpfProgType.BPF_PROG_TYPE_KPROBE],
  uretprobe: [BpfProgType.BPF_PROG_TYPE_KPROBE],
  usdt: [BpfProgType.BPF_PROG_TYPE_KPROBE],
};

/** What programs of type tracing must have been loaded for. */
const ATTACH_TYPES: Readonly<Partial<Record<AttachTarget['kind'], number>>> = {
  tp_btf: BpfAttachType.BPF_TRACE_RAW_TP,
  fentry: BpfAttachType.BPF_TRACE_FENTRY,
  fexit: BpfAttachType.BPF_TRACE_FEXIT,
  fmod_ret: BpfAttachType.BPF_MODIFY_RETURN,
  iter: BpfAttachType.BPF_TRACE_ITER,
};

/**
 * The hook that `target` names on this host. EOPNOTSUPP where the host or kscope has no such hooks, EINVAL where
 * the program's type does not fit, ENOENT for a name the host does not have (with those most like it).
 */
export function resolveTarget(
  runtime: Runtime,
  registries: Registries,
  program: BpfProgram,
  target: AttachTarget,
  options: SamplingOptions & IterOptions,
): Hook {
  if (target.kind === 'other') throw noTarget(program, target);
  if (isAbsent(target)) throw notSupported(program, target);
  checkType(program, target);
  checkSleepable(program, target);
  switch (target.kind) {
    case 'tracepoint':
      return tracepoint(runtime, registries, program, target);
    case 'raw_tracepoint':
    case 'tp_btf':
      return rawTracepoint(registries, program, target);
    case 'perf_event':
      return perfHook(registries.perf, options);
    case 'kprobe_multi':
      return manyProbes(registries, target);
    case 'uprobe':
    case 'uretprobe':
      return userProbe(registries, target);
    case 'usdt':
      return usdt(registries, target);
    case 'ksyscall':
    case 'kretsyscall':
      return systemCall(runtime.host, registries, program, target);
    case 'fentry':
    case 'fexit':
    case 'fmod_ret':
      return trampolineHook(registries.kprobes.trampolines, target.kind, target.name, runtime.host.btf);
    case 'iter':
      return iterHook(registries.iterators, target.target, options);
    default:
      return probe(runtime.host, registries, program, target);
  }
}

const isAbsent = (target: AttachTarget): target is AbsentTarget => (ABSENT as readonly string[]).includes(target.kind);

function notSupported(program: BpfProgram, target: AttachTarget): BpfError {
  const { kind, ...where } = target;
  const named = 'hook' in target ? target.hook : Object.values(where).find((value) => typeof value === 'string');
  return new BpfError('EOPNOTSUPP', `attaching ${program.name}: machines have no ${kind} hooks`, {
    value: named ?? kind,
    remedy: 'run the program on bytes of your own with testRun',
  });
}

const NO_TARGET = {
  unknown: ['EOPNOTSUPP', 'names a hook that libbpf does not know', 'name it as libbpf’s documentation lists'],
  no_target: ['EINVAL', 'tells no target', 'give attach one'],
  malformed: ['EINVAL', 'names a target that cannot be read', 'see how libbpf wants such names to go on'],
} as const;

function noTarget(program: BpfProgram, { section, why }: KindOf<'other'>): BpfError {
  const [code, what, remedy] = NO_TARGET[why];
  return new BpfError(code, `attaching ${program.name}: section ${section} ${what}`, { value: section, remedy });
}

/** Kernel probes, which share their program type with those of user programs, cannot wait (perf_event_set_bpf_prog()). */
const CANNOT_SLEEP: readonly AttachTarget['kind'][] = [
  'kprobe',
  'kretprobe',
  'kprobe_multi',
  'ksyscall',
  'kretsyscall',
];

function checkSleepable(program: BpfProgram, { kind }: PresentTarget): void {
  if (program.executable.sleepable !== true || !CANNOT_SLEEP.includes(kind)) return;
  throw new BpfError('EINVAL', `attaching ${program.name} to a ${kind}: the program may sleep`, {
    value: kind,
    remedy: 'only uprobe programs are allowed to be sleepable: leave the .s out of its section name',
  });
}

function checkType(program: BpfProgram, target: PresentTarget): void {
  const fits = TYPES[target.kind].includes(program.type);
  const expected = ATTACH_TYPES[target.kind];
  if (fits && (expected === undefined || program.executable.expectedAttachType === expected)) return;
  const [typeName] = Object.entries(BpfProgType).find(([, type]) => type === program.type) ?? [`${program.type}`];
  throw new BpfError('EINVAL', `attaching ${program.name} to a ${target.kind}`, {
    value: typeName,
    remedy: 'programs of another type run there; the section of a program settles its type',
  });
}

function tracepoint(
  runtime: Runtime,
  registries: Registries,
  program: BpfProgram,
  { system, name }: KindOf<'tracepoint'>,
): Hook {
  const { events } = registries.tracepoints;
  const event = events.find((candidate) => candidate.system === system && candidate.name === name);
  if (event !== undefined) return tracepointHook(runtime, event);
  const known = events.map((candidate) => `${candidate.system}:${candidate.name}`);
  throw unknown(runtime.host, program, 'trace event', `${system}:${name}`, known);
}

function rawTracepoint(registries: Registries, program: BpfProgram, target: KindOf<'raw_tracepoint' | 'tp_btf'>): Hook {
  const { rawTracepoints, tracepoints } = registries;
  const known = tracepoints.tracepoints.map(({ name }) => name);
  if (!known.includes(target.name)) throw unknown(registries.host, program, 'tracepoint', target.name, known);
  return rawTracepointHook(rawTracepoints, target.name, target.kind === 'tp_btf', registries.host.btf);
}

function probe(host: Host, registries: Registries, program: BpfProgram, target: KindOf<'kprobe' | 'kretprobe'>): Hook {
  const { kprobes, kretprobes, programs } = registries.kprobes;
  const place = placeOf(host, program, target);
  const name = target.address === undefined ? target.symbol : host.symbols.format(target.address);
  if (target.kind === 'kretprobe') return kretprobeHook(programs, kretprobes, place, target.maxactive, name);
  const suffix = target.offset === 0 ? '' : `+0x${target.offset.toString(16)}`;
  return kprobeHook(programs, kprobes, place, name + suffix);
}

function systemCall(
  host: Host,
  registries: Registries,
  program: BpfProgram,
  { kind, syscall }: KindOf<'ksyscall' | 'kretsyscall'>,
): Hook {
  const symbol = syscallFunction(host, syscall);
  return kind === 'ksyscall'
    ? probe(host, registries, program, { kind: 'kprobe', symbol, offset: 0 })
    : probe(host, registries, program, { kind: 'kretprobe', symbol, maxactive: 0 });
}

const MULTI_NAMES = { entry: 'kprobe.multi', return: 'kretprobe.multi', session: 'kprobe.session' } as const;

function manyProbes(registries: Registries, target: KindOf<'kprobe_multi'>): Hook {
  const { kind: _kind, ...where } = target;
  const names = where.pattern ?? `${(where.symbols ?? where.addresses ?? []).length} functions`;
  return kprobeMultiHook(registries.kprobes.programs, where, `${MULTI_NAMES[target.on]}:${names}`);
}

function userProbe(registries: Registries, target: KindOf<'uprobe' | 'uretprobe'>): Hook {
  const { file, offset, address } = resolveUserPlace(registries.host, target);
  const onReturn = target.kind === 'uretprobe';
  const pid = target.pid === undefined ? {} : { pid: target.pid };
  const into = target.offset === 0 && target.symbol !== undefined ? '' : `+0x${target.offset.toString(16)}`;
  const place = { path: file.path, offset, onReturn, funcIp: address, ...pid };
  return uprobeHook(registries.uprobes, place, `${file.path}:${target.symbol ?? ''}${into}`);
}

function usdt(registries: Registries, { path, provider, name, pid }: KindOf<'usdt'>): Hook {
  const { host, uprobes } = registries;
  return usdtHook(uprobes, resolveUsdt(host, path, provider, name), host.arch, pid);
}

function placeOf(host: Host, program: BpfProgram, target: KindOf<'kprobe' | 'kretprobe'>): KprobePlace {
  const offset = target.kind === 'kprobe' ? target.offset : 0;
  if (target.address !== undefined) return { addr: target.address, offset };
  if (host.symbols.lookup(target.symbol) !== undefined) return { symbolName: target.symbol, offset };
  throw new BpfError('ENOENT', `attaching ${program.name}: ${host.name} has no function ${target.symbol}`, {
    remedy: whyNoFunction(host, target.symbol),
  });
}

function unknown(host: Host, program: BpfProgram, what: string, wanted: string, known: Iterable<string>): BpfError {
  const near = nearestNames(wanted, known);
  return new BpfError('ENOENT', `attaching ${program.name}: ${host.name} has no ${what} ${wanted}`, {
    remedy: near.length > 0 ? `similar names: ${near.join(', ')}` : 'list what it offers with Machine.list',
  });
}
