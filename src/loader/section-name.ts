import { BpfProgType } from '../base/index.js';
import type { AttachTarget } from '../runtime/index.js';
import { sectionDefinitions } from './section-definitions.js';

/** What libbpf's naming convention makes of an ELF section name. */
export interface SectionMeaning {
  /** BpfProgType number; BPF_PROG_TYPE_UNSPEC where the name is unknown. */
  readonly type: number;
  readonly expectedAttachType: number;
  readonly attach: AttachTarget;
  /** False for names with a leading `?`: loaded only when asked for. */
  readonly autoload: boolean;
  /** The name without the `?`. */
  readonly section: string;
}

/**
 * Reads a section name such as `kprobe/vfs_read+0x10` or `tracepoint/sched/sched_switch`. Names that tell the type but not
 * a target kscope can attach to, and unknown names, come back with the target kind `other`.
 */
export function parseSectionName(name: string): SectionMeaning {
  const autoload = !name.startsWith('?');
  const section = autoload ? name : name.slice(1);
  const definition = sectionDefinitions.find(({ prefix }) => section === prefix || section.startsWith(`${prefix}/`));
  const rest = definition === undefined ? '' : section.slice(definition.prefix.length + 1);
  return {
    type: definition?.type ?? BpfProgType.BPF_PROG_TYPE_UNSPEC,
    expectedAttachType: definition?.expectedAttachType ?? 0,
    attach: (definition === undefined ? undefined : parseTarget(definition.prefix, rest)) ?? { kind: 'other', section },
    autoload,
    section,
  };
}

function parseTarget(prefix: string, rest: string): AttachTarget | undefined {
  switch (prefix) {
    case 'tracepoint':
    case 'tp':
      return parseTracepoint(rest);
    case 'raw_tracepoint':
    case 'raw_tp':
      return rest === '' ? undefined : { kind: 'raw_tracepoint', name: rest, writable: false };
    case 'raw_tracepoint.w':
    case 'raw_tp.w':
      return rest === '' ? undefined : { kind: 'raw_tracepoint', name: rest, writable: true };
    case 'tp_btf':
      return rest === '' ? undefined : { kind: 'tp_btf', name: rest };
    case 'kprobe':
      return parseKprobe(rest);
    case 'kretprobe':
      return parseKretprobe(rest);
    case 'kprobe.multi':
      return parseMulti('entry', rest);
    case 'kretprobe.multi':
      return parseMulti('return', rest);
    case 'kprobe.session':
      return parseMulti('session', rest);
    case 'uprobe':
    case 'uretprobe':
      return parseUprobe(prefix, rest);
    case 'usdt':
      return parseUsdt(rest);
    case 'fentry':
    case 'fentry.s':
    case 'fexit':
    case 'fexit.s':
    case 'fmod_ret':
    case 'fmod_ret.s':
      return parseTrampoline(prefix, rest);
    case 'ksyscall':
    case 'kretsyscall':
      return rest === '' ? undefined : { kind: prefix, syscall: rest };
    case 'iter':
    case 'iter.s':
      return rest === '' ? undefined : { kind: 'iter', target: rest };
    case 'perf_event':
      return { kind: 'perf_event' };
    default:
      return undefined;
  }
}

function parseTracepoint(rest: string): AttachTarget | undefined {
  const match = /^([^/]+)\/([^/]+)$/.exec(rest);
  return match === null ? undefined : { kind: 'tracepoint', system: match[1], name: match[2] };
}

type TrampolineKind = 'fentry' | 'fexit' | 'fmod_ret';

/** Whether a program may sleep (`.s`) makes no difference to where it is attached. */
function parseTrampoline(prefix: TrampolineKind | `${TrampolineKind}.s`, name: string): AttachTarget | undefined {
  const kind = prefix.replace(/\.s$/, '') as TrampolineKind;
  return name === '' ? undefined : { kind, name };
}

const PROBE_POINT = /^([A-Za-z0-9_.]+)(?:\+(0[xX][0-9a-fA-F]+|\d+))?$/;

function parseKprobe(rest: string): AttachTarget | undefined {
  const match = PROBE_POINT.exec(rest);
  const offset = Number(match?.[2] ?? 0);
  return match === null || !Number.isSafeInteger(offset) ? undefined : { kind: 'kprobe', symbol: match[1], offset };
}

/** Returns have no offset. */
function parseKretprobe(rest: string): AttachTarget | undefined {
  const match = PROBE_POINT.exec(rest);
  return match === null || Number(match[2] ?? 0) !== 0
    ? undefined
    : { kind: 'kretprobe', symbol: match[1], maxactive: 0 };
}

/** The names libbpf reads with sscanf("%m[a-zA-Z0-9_.*?]"): what follows them is not looked at. */
function parseMulti(on: 'entry' | 'return' | 'session', rest: string): AttachTarget | undefined {
  const pattern = /^[A-Za-z0-9_.*?]+/.exec(rest)?.[0];
  return pattern === undefined ? undefined : { kind: 'kprobe_multi', on, pattern };
}

/** PATH:FUNCTION[+OFFSET]. Returns have no offset. */
function parseUprobe(kind: 'uprobe' | 'uretprobe', rest: string): AttachTarget | undefined {
  const match = /^([^:]+):([A-Za-z0-9_.@$]+)(?:\+(0[xX][0-9a-fA-F]+|\d+))?$/.exec(rest);
  const offset = Number(match?.[3] ?? 0);
  if (match === null || !Number.isSafeInteger(offset) || (kind === 'uretprobe' && offset !== 0)) return undefined;
  return { kind, path: match[1], symbol: match[2], offset };
}

/** PATH:PROVIDER:NAME */
function parseUsdt(rest: string): AttachTarget | undefined {
  const match = /^([^:]+):([^:]+):([^:]+)$/.exec(rest);
  return match === null ? undefined : { kind: 'usdt', path: match[1], provider: match[2], name: match[3] };
}
