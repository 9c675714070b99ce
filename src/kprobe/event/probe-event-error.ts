import { BpfError, type ErrnoName } from '../../base/index.js';

/** What the kernel's error_log says of a definition that it refuses (ERRORS of kernel/trace/trace_probe.h). */
export const PROBE_EVENT_ERRORS = {
  BAD_MAXACT_TYPE: 'Maxactive is not for kprobe',
  BAD_MAXACT: 'Invalid maxactive number',
  MAXACT_TOO_BIG: 'Maxactive is too big',
  BAD_PROBE_ADDR: 'Invalid probed address or symbol',
  NON_UNIQ_SYMBOL: 'The symbol is not unique',
  BAD_RETPROBE: 'Retprobe address must be an function entry',
  BAD_ADDR_SUFFIX: 'Invalid probed address suffix',
  NO_GROUP_NAME: 'Group name is not specified',
  GROUP_TOO_LONG: 'Group name is too long',
  BAD_GROUP_NAME: 'Group name must follow the same rules as C identifiers',
  NO_EVENT_NAME: 'Event name is not specified',
  EVENT_TOO_LONG: 'Event name is too long',
  BAD_EVENT_NAME: 'Event name must follow the same rules as C identifiers',
  EVENT_EXIST: 'Given group/event name is already used by another event',
  RETVAL_ON_PROBE: '$retval is not available on probe',
  BAD_STACK_NUM: 'Invalid stack number',
  BAD_ARG_NUM: 'Invalid argument number',
  BAD_VAR: 'Invalid $-valiable specified',
  BAD_REG_NAME: 'Invalid register name',
  BAD_MEM_ADDR: 'Invalid memory address',
  BAD_IMM: 'Invalid immediate value',
  IMMSTR_NO_CLOSE: "String is not closed with '\"'",
  FILE_ON_KPROBE: 'File offset is not available with kprobe',
  TOO_MANY_OPS: 'Dereference is too much nested',
  DEREF_NEED_BRACE: 'Dereference needs a brace',
  BAD_DEREF_OFFS: 'Invalid dereference offset',
  DEREF_OPEN_BRACE: 'Dereference brace is not closed',
  COMM_CANT_DEREF: '$comm can not be dereferenced',
  BAD_FETCH_ARG: 'Invalid fetch argument',
  ARRAY_NO_CLOSE: 'Array is not closed',
  BAD_ARRAY_SUFFIX: 'Array has wrong suffix',
  BAD_ARRAY_NUM: 'Invalid array size',
  ARRAY_TOO_BIG: 'Array number is too big',
  BAD_TYPE: 'Unknown type is specified',
  BAD_STRING: 'String accepts only memory argument',
  BAD_SYMSTRING: "Symbol String doesn't accept data/userdata",
  BAD_BITFIELD: 'Invalid bitfield',
  ARG_NAME_TOO_LONG: 'Argument name is too long',
  NO_ARG_NAME: 'Argument name is not specified',
  BAD_ARG_NAME: 'Argument name must follow the same rules as C identifiers',
  USED_ARG_NAME: 'This argument name is already used',
  ARG_TOO_LONG: 'Argument expression is too long',
  NO_ARG_BODY: 'No argument expression',
  BAD_INSN_BNDRY: 'Probe point is not an instruction boundary',
  FAIL_REG_PROBE: 'Failed to register probe event',
  TOO_MANY_ARGS: 'Too many arguments are specified',
  DIFF_PROBE_TYPE: 'Probe type is different from existing probe',
  DIFF_ARG_TYPE: 'Argument type or name is different from existing probe',
  SAME_PROBE: 'There is already the exact same probe event',
} as const;

export type ProbeEventErrorName = keyof typeof PROBE_EVENT_ERRORS;

/** What is wrong, and in which word of the definition at which character. */
export interface ProbeEventFault {
  readonly name: ProbeEventErrorName;
  /** Index of the word (0: `p:NAME`, 1: the place, 2: the first argument). */
  readonly word: number;
  /** Characters from the start of that word. */
  readonly offset: number;
}

/** A definition of a kprobe event that Linux would refuse; what tracefs would answer and log. */
export class ProbeEventError extends BpfError {
  override readonly name = 'ProbeEventError';
  /** The kernel's name of the error; null where Linux logs nothing. */
  readonly error: ProbeEventErrorName | null;
  /** The definition, its words one space apart. */
  readonly command: string;
  /** Characters from the start of `command` to what is wrong. */
  readonly position: number;

  /** `hint`: what Linux does not say, where it says anything. */
  constructor(
    code: ErrnoName,
    words: readonly string[],
    fault: ProbeEventFault | null,
    { cause, hint }: { readonly cause?: unknown; readonly hint?: string | undefined } = {},
  ) {
    const command = words.join(' ');
    const position = fault === null ? 0 : positionOf(words, fault);
    super(code, `defining the kprobe event "${command}"`, {
      ...(fault === null ? {} : { offset: position }),
      ...remedyOf(fault, cause, hint),
      ...(cause === undefined ? {} : { cause }),
    });
    this.error = fault?.name ?? null;
    this.command = command;
    this.position = position;
  }

  /** The entry of tracefs' error_log behind its time: text, definition, and a mark under what is wrong. */
  get log(): string {
    if (this.error === null) return '';
    const mark = `${' '.repeat(this.position)}^`;
    return `trace_kprobe: error: ${PROBE_EVENT_ERRORS[this.error]}\n  Command: ${this.command}\n           ${mark}\n`;
  }
}

/** Thrown by the parsers, which do not know the whole definition. */
export class ProbeSyntaxError extends Error {
  readonly code: ErrnoName;
  readonly fault: ProbeEventFault | null;
  readonly hint: string | undefined;

  constructor(fault: ProbeEventFault | null, code: ErrnoName = 'EINVAL', hint?: string) {
    super(fault === null ? 'a definition that is not one of a kprobe' : PROBE_EVENT_ERRORS[fault.name]);
    this.fault = fault;
    this.code = code;
    this.hint = hint;
  }
}

/** A word past the last one is marked behind the definition, as the kernel does. */
function positionOf(words: readonly string[], { word, offset }: ProbeEventFault): number {
  const before = words.slice(0, word).reduce((sum, text) => sum + text.length + 1, 0);
  return word < words.length ? before + offset : before;
}

function remedyOf(fault: ProbeEventFault | null, cause: unknown, hint: string | undefined): { remedy?: string } {
  const parts: string[] = fault === null ? [] : [PROBE_EVENT_ERRORS[fault.name]];
  if (cause instanceof BpfError) parts.push(cause.message);
  if (hint !== undefined) parts.push(hint);
  return parts.length === 0 ? {} : { remedy: parts.join(': ') };
}
