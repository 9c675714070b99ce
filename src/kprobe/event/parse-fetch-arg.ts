import type { FetchArg, FetchBitfield, FetchSource } from './fetch-arg.js';
import { type FetchType, findFetchType } from './fetch-type.js';
import { leadingNumber, parseUnsigned } from './kernel-number.js';
import { type FetchContext, type ParsedSource, parseFetchSource } from './parse-fetch-source.js';
import { type ProbeEventErrorName, ProbeSyntaxError } from './probe-event-error.js';

const MAX_NAME_LENGTH = 32;
const MAX_TEXT_LENGTH = 63;
const MAX_ARRAY_LENGTH = 64;
const MAX_STEPS = 15;

/** Names of fields that records have anyway. */
const RESERVED = new Set([
  'common_type',
  'common_flags',
  'common_preempt_count',
  'common_pid',
  'common_tgid',
  '__probe_ip',
  '__probe_ret_ip',
  '__probe_func',
]);

/** Whether it is a C identifier. */
export function isGoodName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/**
 * Parses `[NAME=]SOURCE[:TYPE]`, the argument behind `before`. Throws ProbeSyntaxError with the error that
 * traceprobe_parse_probe_arg() logs.
 */
export function parseFetchArg(word: string, before: readonly FetchArg[], context: FetchContext): FetchArg {
  const equals = word.indexOf('=');
  const fail = (name: ProbeEventErrorName): never => {
    throw new ProbeSyntaxError({ name, word: context.word, offset: 0 });
  };
  if (equals > MAX_NAME_LENGTH) fail('ARG_NAME_TOO_LONG');
  if (equals === 0) fail('NO_ARG_NAME');
  const name = equals < 0 ? `arg${before.length + 1}` : word.slice(0, equals);
  if (!isGoodName(name)) fail('BAD_ARG_NAME');
  if (RESERVED.has(name) || before.some((other) => other.name === name)) fail('USED_ARG_NAME');
  return new BodyParser(context, equals + 1).parse(name, word.slice(equals + 1));
}

/** Parses what stands behind the name, which begins at `offset` of the word. */
class BodyParser {
  readonly #context: FetchContext;
  readonly #offset: number;

  constructor(context: FetchContext, offset: number) {
    this.#context = context;
    this.#offset = offset;
  }

  parse(name: string, text: string): FetchArg {
    if (text.length > MAX_TEXT_LENGTH) throw this.#fault('ARG_TOO_LONG', 0);
    if (text === '') throw this.#fault('NO_ARG_BODY', 0);
    const colon = text.indexOf(':');
    const body = colon < 0 ? text : text.slice(0, colon);
    const typeAt = colon < 0 ? 0 : colon + 1;
    const { typeName, count } =
      colon < 0 ? { typeName: null, count: 0 } : this.#typeAndCount(text.slice(typeAt), typeAt);
    const type = this.#type(body, typeName, count, typeAt);
    const parsed = parseFetchSource(body, this.#offset, this.#context);
    this.#checkStore(parsed, type, count, typeAt);
    const bitfield = this.#bitfield(typeName, type, typeAt);
    if (count > 0 && !isArraySource(parsed.source, type)) throw this.#fault('BAD_STRING', typeAt);
    return { name, text, type, count, bitfield, source: parsed.source };
  }

  #fault(name: ProbeEventErrorName, at: number): ProbeSyntaxError {
    return new ProbeSyntaxError({ name, word: this.#context.word, offset: this.#offset + at });
  }

  #typeAndCount(text: string, at: number): { typeName: string; count: number } {
    const open = text.indexOf('[');
    if (open < 0) return { typeName: text, count: 0 };
    const bounds = text.slice(open + 1);
    const close = bounds.indexOf(']');
    if (close < 0) throw this.#fault('ARRAY_NO_CLOSE', at + text.length);
    if (close !== bounds.length - 1) throw this.#fault('BAD_ARRAY_SUFFIX', at + open + 1 + close + 1);
    const count = parseUnsigned(bounds.slice(0, close), 0, 32);
    if (typeof count !== 'bigint' || count === 0n) throw this.#fault('BAD_ARRAY_NUM', at + open + 1);
    if (count > MAX_ARRAY_LENGTH) throw this.#fault('ARRAY_TOO_BIG', at + open + 1);
    return { typeName: text.slice(0, open), count: Number(count) };
  }

  /** The name of the task and immediate text are strings, and never arrays. */
  #type(body: string, typeName: string | null, count: number, typeAt: number): FetchType {
    const isText = body === '$comm' || body === '$COMM' || body.startsWith('\\"');
    if (isText && (count > 0 || (typeName ?? 'string') !== 'string')) {
      throw new ProbeSyntaxError(null, 'EINVAL', `${body} is a string, and no array: leave :${typeName ?? ''} out`);
    }
    const type = findFetchType(isText ? 'string' : typeName, this.#context.wordSize);
    if (type === undefined) throw this.#fault('BAD_TYPE', typeAt);
    return type;
  }

  /** Whether the value can be stored as that type, and there is a step left for it. */
  #checkStore({ source, steps }: ParsedSource, { text }: FetchType, count: number, typeAt: number): void {
    if (text === 'symstr') {
      if (!namesSymbol(source)) throw this.#fault('BAD_SYMSTRING', typeAt);
    } else if (text !== null && !pointsToText(source)) throw this.#fault('BAD_STRING', typeAt);
    const replacesDeref = source.op === 'deref' && text !== 'symstr' && !(text !== null && count > 0);
    const used = steps + (replacesDeref ? 0 : 1);
    if (used >= MAX_STEPS) throw this.#fault('TOO_MANY_OPS', 0);
    if (count > 0 && used + 1 >= MAX_STEPS) throw this.#fault('TOO_MANY_OPS', 0);
  }

  #bitfield(typeName: string | null, type: FetchType, typeAt: number): FetchBitfield | null {
    if (typeName === null || !typeName.startsWith('b')) return null;
    const width = leadingNumber(typeName.slice(1));
    const isSplit = width.value > 0n && width.rest.startsWith('@');
    const behind = width.rest.slice(1);
    const from = leadingNumber(behind);
    const bits = BigInt(8 * type.size);
    if (!isSplit || from.rest === behind || !from.rest.startsWith('/') || width.value + from.value > bits) {
      throw this.#fault('BAD_BITFIELD', typeAt);
    }
    return { left: Number(bits - width.value - from.value), right: Number(bits - width.value) };
  }
}

function pointsToText({ op }: FetchSource): boolean {
  return op === 'deref' || op === 'immediate' || op === 'comm' || op === 'text';
}

/** Values that can be the address of a symbol: not user memory, nor what was written down. */
function namesSymbol(source: FetchSource): boolean {
  if (source.op === 'deref') return !source.user;
  return source.op === 'register' || source.op === 'stack' || source.op === 'returnValue' || source.op === 'argument';
}

/** Arrays lie in kernel memory, or are pointers to strings. */
function isArraySource(source: FetchSource, { text }: FetchType): boolean {
  if (text === 'string' || text === 'ustring') return true;
  return text === null && source.op === 'deref' && !source.user;
}
