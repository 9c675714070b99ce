import { BpfProgType } from '../base/index.js';
import type { AttachTarget } from '../runtime/index.js';
import type { SectionDefinition } from './section-definitions.js';

type KindOf<K extends AttachTarget['kind']> = Extract<AttachTarget, { kind: K }>;

/**
 * Reads what follows the slash of a section name; undefined where there is no slash. The forms are those that libbpf's
 * attach functions read with sscanf(): what follows a complete target is not looked at.
 */
export function parseSectionTarget(
  definition: SectionDefinition,
  rest: string | undefined,
  section: string,
): AttachTarget {
  const { extras } = definition;
  if (!extras) return wholeName(definition, section);
  if (rest === undefined) return { kind: 'other', section, why: 'no_target' };
  return readers[definition.prefix.replace(/\.s$/, '')]?.(rest) ?? { kind: 'other', section, why: 'malformed' };
}

/** Names without a target of their own: the place is a device, a cgroup or a socket that the loader is told of. */
function wholeName({ type, expectedAttachType }: SectionDefinition, section: string): AttachTarget {
  if (type === BpfProgType.BPF_PROG_TYPE_PERF_EVENT) return { kind: 'perf_event' };
  if (type === BpfProgType.BPF_PROG_TYPE_SYSCALL) return { kind: 'other', section, why: 'no_target' };
  const kind = section.startsWith('cgroup') || section === 'sockops' ? 'cgroup' : 'net';
  return { kind, hook: section, attachType: expectedAttachType };
}

/** By the part of the name before the slash, less the `.s` of programs that may sleep. */
const readers: Readonly<Record<string, ((rest: string) => AttachTarget | undefined) | undefined>> = {
  tracepoint: parseTracepoint,
  tp: parseTracepoint,
  raw_tracepoint: (rest) => rawTracepoint(rest, false),
  raw_tp: (rest) => rawTracepoint(rest, false),
  'raw_tracepoint.w': (rest) => rawTracepoint(rest, true),
  'raw_tp.w': (rest) => rawTracepoint(rest, true),
  tp_btf: (name) => named(name, { kind: 'tp_btf', name }),
  kprobe: parseKprobe,
  kretprobe: parseKretprobe,
  'kprobe.multi': (rest) => parseKprobeMulti('entry', rest),
  'kretprobe.multi': (rest) => parseKprobeMulti('return', rest),
  'kprobe.session': (rest) => parseKprobeMulti('session', rest),
  ksyscall: (syscall) => named(syscall, { kind: 'ksyscall', syscall }),
  kretsyscall: (syscall) => named(syscall, { kind: 'kretsyscall', syscall }),
  uprobe: (rest) => parseUprobe('uprobe', rest),
  uretprobe: (rest) => parseUprobe('uretprobe', rest),
  'uprobe.multi': (rest) => parseUprobeMulti('entry', rest),
  'uretprobe.multi': (rest) => parseUprobeMulti('return', rest),
  'uprobe.session': (rest) => parseUprobeMulti('session', rest),
  usdt: parseUsdt,
  fentry: (name) => named(name, { kind: 'fentry', name }),
  fexit: (name) => named(name, { kind: 'fexit', name }),
  fmod_ret: (name) => named(name, { kind: 'fmod_ret', name }),
  freplace: (name) => named(name, { kind: 'freplace', name }),
  lsm: (name) => named(name, { kind: 'lsm', name, cgroup: false }),
  lsm_cgroup: (name) => named(name, { kind: 'lsm', name, cgroup: true }),
  iter: (target) => named(target, { kind: 'iter', target }),
  struct_ops: (member) => named(member, { kind: 'struct_ops', member }),
};

function named<T extends AttachTarget>(name: string, target: T): T | undefined {
  return name === '' ? undefined : target;
}

/** CATEGORY/NAME */
function parseTracepoint(rest: string): AttachTarget | undefined {
  const match = /^([^/]+)\/([^/]+)$/.exec(rest);
  return match === null ? undefined : { kind: 'tracepoint', system: match[1], name: match[2] };
}

function rawTracepoint(name: string, writable: boolean): AttachTarget | undefined {
  return named(name, { kind: 'raw_tracepoint', name, writable });
}

/** sscanf's "%m[a-zA-Z0-9_.]+%li" */
const PROBE_POINT = /^([A-Za-z0-9_.]+)(?:\+([-+]?(?:0[xX][0-9a-fA-F]+|\d+)))?/;

function parseKprobe(rest: string): KindOf<'kprobe'> | undefined {
  const match = PROBE_POINT.exec(rest);
  const offset = parseOffset(match?.[2]);
  return match === null || offset === undefined ? undefined : { kind: 'kprobe', symbol: match[1], offset };
}

/** Returns have no offset. */
function parseKretprobe(rest: string): AttachTarget | undefined {
  const point = parseKprobe(rest);
  return point?.offset === 0 ? { kind: 'kretprobe', symbol: point.symbol, maxactive: 0 } : undefined;
}

/** A number as %li reads it: 0x for hexadecimal, 0 for octal. Undefined where no instruction can be that far. */
function parseOffset(text: string | undefined): number | undefined {
  if (text === undefined) return 0;
  const digits = text.replace(/^\+/, '');
  const octal = /^0[0-7]*/.exec(digits)?.[0];
  const value = octal === undefined || /^0x/i.test(digits) ? Number(digits) : parseInt(octal, 8);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** sscanf's "%m[a-zA-Z0-9_.*?]" */
function parseKprobeMulti(on: 'entry' | 'return' | 'session', rest: string): AttachTarget | undefined {
  const pattern = /^[A-Za-z0-9_.*?]+/.exec(rest)?.[0];
  return pattern === undefined ? undefined : { kind: 'kprobe_multi', on, pattern };
}

/** PATH:FUNCTION[+OFFSET]. Returns have no offset. */
function parseUprobe(kind: 'uprobe' | 'uretprobe', rest: string): AttachTarget | undefined {
  const match = /^([^:]+):([A-Za-z0-9_.@$]+)(?:\+([-+]?(?:0[xX][0-9a-fA-F]+|\d+)))?/.exec(rest);
  const offset = parseOffset(match?.[3]);
  if (match === null || offset === undefined || (kind === 'uretprobe' && offset !== 0)) return undefined;
  return { kind, path: match[1], symbol: match[2], offset };
}

/** PATH:PATTERN */
function parseUprobeMulti(on: 'entry' | 'return' | 'session', rest: string): AttachTarget | undefined {
  const match = /^([^:]+):([^\n]+)/.exec(rest);
  return match === null ? undefined : { kind: 'uprobe_multi', on, path: match[1], pattern: match[2] };
}

/** PATH:PROVIDER:NAME */
function parseUsdt(rest: string): AttachTarget | undefined {
  const match = /^([^:]+):([^:]+):([^:]+)/.exec(rest);
  return match === null ? undefined : { kind: 'usdt', path: match[1], provider: match[2], name: match[3] };
}
