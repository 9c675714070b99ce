import type { ErrnoName } from '../../base/index.js';
import type { PtRegsLayout } from '../../arch/index.js';
import type { FetchSource } from './fetch-arg.js';
import { isDigit, parseSigned, parseUnsigned } from './kernel-number.js';
import { type ProbeEventErrorName, ProbeSyntaxError } from './probe-event-error.js';

/** What the place of a probe allows its arguments. */
export interface FetchContext {
  readonly layout: PtRegsLayout;
  readonly wordSize: 4 | 8;
  /** At a function's entry parameters are known, behind its return the result is. */
  readonly at: 'entry' | 'return' | 'inside';
  /** Index of the argument's word in the definition. */
  readonly word: number;
}

/** Steps that the kernel has room for in one argument. */
const MAX_STEPS = 15;
/** Words of a kernel stack (PARAM_MAX_STACK): 16 KiB of eight bytes, or 8 KiB of four. */
const MAX_STACK = 2048n;

const text = new TextEncoder();

/** A source and how many of the kernel's steps it takes before the one that stores. */
export interface ParsedSource {
  readonly source: FetchSource;
  readonly steps: number;
}

/**
 * Parses the part of a fetch argument before its type. `offset` is where it begins in its word. Errors are those of
 * parse_probe_arg() in kernel/trace/trace_probe.c, in its order.
 */
export function parseFetchSource(arg: string, offset: number, context: FetchContext): ParsedSource {
  switch (arg[0]) {
    case '$':
      return { source: variable(arg.slice(1), offset, context), steps: 0 };
    case '%':
      return { source: register(arg.slice(1), offset, context), steps: 0 };
    case '@':
      return memory(arg, offset, context);
    case '+':
    case '-':
      return dereference(arg, offset, context);
    case '\\':
      return { source: immediate(arg, offset, context), steps: 0 };
    default:
      throw fault('BAD_FETCH_ARG', offset, context);
  }
}

function fault(
  name: ProbeEventErrorName,
  offset: number,
  { word }: FetchContext,
  code: ErrnoName = 'EINVAL',
): ProbeSyntaxError {
  return new ProbeSyntaxError({ name, word, offset }, code);
}

function variable(name: string, offset: number, context: FetchContext): FetchSource {
  if (name === 'retval') {
    if (context.at === 'return') return { op: 'returnValue' };
    throw fault('RETVAL_ON_PROBE', offset, context);
  }
  if (name.startsWith('stack')) return stack(name.slice(5), offset, context);
  if (name === 'comm' || name === 'COMM') return { op: 'comm' };
  if (context.at === 'entry' && name.startsWith('arg')) return parameter(name.slice(3), offset, context);
  throw fault('BAD_VAR', offset, context);
}

function stack(digits: string, offset: number, context: FetchContext): FetchSource {
  if (digits === '') return { op: 'stackPointer' };
  const index = isDigit(digits[0]) ? parseUnsigned(digits, 10) : 'EINVAL';
  if (typeof index !== 'bigint') throw fault('BAD_VAR', offset, context);
  if (index > MAX_STACK) throw fault('BAD_STACK_NUM', offset, context);
  return { op: 'stack', index: Number(index) };
}

function parameter(digits: string, offset: number, context: FetchContext): FetchSource {
  const number = parseUnsigned(digits, 10);
  if (typeof number !== 'bigint') throw fault('BAD_VAR', offset, context);
  if (number === 0n || number > MAX_STACK) throw fault('BAD_ARG_NUM', offset, context);
  return { op: 'argument', index: Number(number) - 1 };
}

function register(name: string, offset: number, context: FetchContext): FetchSource {
  const { names, aliases = {} } = context.layout;
  const slot = Object.hasOwn(aliases, name) ? aliases[name] : names.indexOf(name);
  if (slot < 0) throw fault('BAD_REG_NAME', offset, context);
  return { op: 'register', slot };
}

/** `@ADDRESS` and `@SYMBOL`, both of which are read through. */
function memory(arg: string, offset: number, context: FetchContext): ParsedSource {
  if (arg[1] === '+') throw fault('FILE_ON_KPROBE', offset, context);
  if (!isDigit(arg[1])) return through({ op: 'symbol', text: arg.slice(1) }, 1, 0n, false, offset, context);
  const value = parseUnsigned(arg.slice(1), 0);
  if (typeof value !== 'bigint') throw fault('BAD_MEM_ADDR', offset, context, value);
  return through({ op: 'immediate', value }, 0, 0n, false, offset, context);
}

function dereference(arg: string, offset: number, context: FetchContext): ParsedSource {
  const user = arg[1] === 'u';
  const signed = user ? arg[0] + arg.slice(2) : arg;
  // kstrtol() takes no plus twice.
  const digits = signed.startsWith('+') ? signed.slice(1) : signed;
  const open = digits.indexOf('(');
  if (open < 0) throw fault('DEREF_NEED_BRACE', offset, context);
  const by = parseSigned(digits.slice(0, open));
  if (typeof by !== 'bigint') throw fault('BAD_DEREF_OFFS', offset, context, by);
  const inside = offset + open + 1 + (digits.startsWith('-') ? 0 : 1);
  const rest = digits.slice(open + 1);
  const close = rest.lastIndexOf(')');
  if (close < 0) throw fault('DEREF_OPEN_BRACE', inside + rest.length, context);
  const { source, steps } = parseFetchSource(rest.slice(0, close), inside, context);
  if (source.op === 'comm' || source.op === 'text') throw fault('COMM_CANT_DEREF', inside, context);
  return through(source, steps, by, user, inside, context);
}

function through(
  from: FetchSource,
  steps: number,
  by: bigint,
  user: boolean,
  offset: number,
  context: FetchContext,
): ParsedSource {
  if (steps + 1 >= MAX_STEPS) throw fault('TOO_MANY_OPS', offset, context);
  return { source: { op: 'deref', from, offset: by, user }, steps: steps + 1 };
}

function immediate(arg: string, offset: number, context: FetchContext): FetchSource {
  if (arg[1] === '"') {
    const body = arg.slice(2);
    if (!body.endsWith('"')) throw fault('IMMSTR_NO_CLOSE', offset + 2 + body.length, context);
    return { op: 'text', bytes: text.encode(body.slice(0, -1)) };
  }
  const value = immediateValue(arg.slice(1));
  if (typeof value !== 'bigint') throw fault('BAD_IMM', offset + 1, context, value);
  return { op: 'immediate', value: BigInt.asUintN(64, value) };
}

function immediateValue(digits: string): bigint | 'EINVAL' | 'ERANGE' {
  if (isDigit(digits[0])) return parseUnsigned(digits, 0);
  if (digits.startsWith('-')) return parseSigned(digits);
  return digits.startsWith('+') ? parseSigned(digits.slice(1)) : 'EINVAL';
}
