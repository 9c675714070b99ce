import type { FetchArg } from './fetch-arg.js';
import { parseSigned, parseUnsigned, isDigit } from './kernel-number.js';
import { isGoodName } from './parse-fetch-arg.js';
import { type ProbeEventErrorName, ProbeSyntaxError } from './probe-event-error.js';

/** The group of events that name none (KPROBE_EVENT_SYSTEM). */
export const DEFAULT_GROUP = 'kprobes';
const MAX_NAME = 64;
const MAX_ACTIVE = 4096n;

/** Where a definition puts its probe. */
export type EventPlace =
  /** `module` where it was written `MODULE:SYMBOL`. */
  | { readonly kind: 'symbol'; readonly symbol: string; readonly module: string | null; readonly offset: number }
  | { readonly kind: 'address'; readonly address: bigint };

/** The head of a definition: `p[:[GRP/][EVENT]] PLACE` or `r[MAXACTIVE][:[GRP/][EVENT]] PLACE`. */
export interface EventHead {
  readonly isReturn: boolean;
  /** 0: the default. */
  readonly maxactive: number;
  readonly group: string;
  /** Null: named for its place. */
  readonly event: string | null;
  readonly place: EventPlace;
}

/** One parsed definition. */
export interface EventDefinition extends Omit<EventHead, 'event'> {
  readonly event: string;
  readonly args: readonly FetchArg[];
  /** The definition's words. */
  readonly words: readonly string[];
}

/** Words of a line, its comment left out. */
export function splitWords(line: string): string[] {
  return line
    .split('#', 1)[0]
    .split(/[\s\0]+/)
    .filter((word) => word !== '');
}

/** `p` or `r`, and how many instances. Throws ProbeSyntaxError. */
export function parseKind(word: string): { isReturn: boolean; maxactive: number } {
  const isReturn = word[0] === 'r';
  if (!isDigit(word[1])) return { isReturn, maxactive: 0 };
  if (!isReturn) throw fault('BAD_MAXACT_TYPE', 0, 1);
  const digits = word.slice(1).split(':', 1)[0];
  const maxactive = digits.length > MAX_NAME - 1 ? 'EINVAL' : parseUnsigned(digits, 0, 32);
  if (typeof maxactive !== 'bigint' || maxactive === 0n) throw fault('BAD_MAXACT', 0, 1);
  if (maxactive > MAX_ACTIVE) throw fault('MAXACT_TOO_BIG', 0, 1);
  return { isReturn, maxactive: Number(maxactive) };
}

/** PLACE, and whether it ends with `%return`. Throws ProbeSyntaxError; null where it is a uprobe's. */
export function parsePlace(word: string): { place: EventPlace; isReturn: boolean } | null {
  const address = parseUnsigned(word, 0);
  if (typeof address === 'bigint') return { place: { kind: 'address', address }, isReturn: false };
  if (word.includes('/') && word.includes(':')) return null;
  const suffix = word.indexOf('%');
  const isReturn = suffix >= 0 && word.slice(suffix) === '%return';
  if (suffix >= 0 && !isReturn) throw fault('BAD_ADDR_SUFFIX', 1, suffix);
  const { symbol, offset } = splitOffset(isReturn ? word.slice(0, suffix) : word);
  if (offset === null || offset < 0n || offset > 0xffff_ffffn) throw fault('BAD_PROBE_ADDR', 1, 0);
  const colon = symbol.indexOf(':');
  const module = colon < 0 ? null : symbol.slice(0, colon);
  return { place: { kind: 'symbol', symbol: symbol.slice(colon + 1), module, offset: Number(offset) }, isReturn };
}

/** `SYMBOL[+OFFSET|-OFFSET]`; the offset is null where it is no number. */
export function splitOffset(text: string): { symbol: string; offset: bigint | null } {
  const sign = text.search(/[+-]/);
  if (sign < 0) return { symbol: text, offset: 0n };
  const offset = parseSigned(text.slice(sign));
  return { symbol: text.slice(0, sign), offset: typeof offset === 'bigint' ? offset : null };
}

/** `[GRP/][EVENT]` behind the colon of the first word; a dot may stand for the slash. */
export function parseEventName(word: string): { group: string; event: string | null } {
  const colon = word.indexOf(':');
  if (colon < 0) return { group: DEFAULT_GROUP, event: null };
  const name = word.slice(colon + 1);
  const slash = name.includes('/') ? name.indexOf('/') : name.indexOf('.');
  const group = slash < 0 ? DEFAULT_GROUP : name.slice(0, slash);
  if (slash >= 0) checkGroup(group, colon + 1);
  const event = name.slice(slash + 1);
  const at = colon + 1 + slash + 1;
  if (event === '' && slash >= 0) return { group, event: null };
  if (event === '') throw fault('NO_EVENT_NAME', 0, at);
  if (event.length >= MAX_NAME) throw fault('EVENT_TOO_LONG', 0, at);
  if (!isGoodName(event)) throw fault('BAD_EVENT_NAME', 0, at);
  return { group, event };
}

/** The name of an event that was given none: `p_vfs_read_0`. */
export function defaultEventName(isReturn: boolean, place: EventPlace): string {
  const letter = isReturn ? 'r' : 'p';
  const name = place.kind === 'address' ? addressText(place.address) : `${symbolText(place)}_${place.offset}`;
  return `${letter}_${name}`.slice(0, MAX_NAME - 1).replace(/(?!^)[:.]/g, '_');
}

/** The place as kprobe_events shows it: `vfs_read+5`. */
export function placeText(place: EventPlace): string {
  if (place.kind === 'address') return addressText(place.address);
  return place.offset === 0 ? symbolText(place) : `${symbolText(place)}+${place.offset}`;
}

function symbolText({ symbol, module }: Extract<EventPlace, { kind: 'symbol' }>): string {
  return module === null ? symbol : `${module}:${symbol}`;
}

function addressText(address: bigint): string {
  return `0x${address.toString(16).padStart(16, '0')}`;
}

function checkGroup(group: string, at: number): void {
  if (group === '') throw fault('NO_GROUP_NAME', 0, at);
  if (group.length >= MAX_NAME) throw fault('GROUP_TOO_LONG', 0, at);
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(group)) throw fault('BAD_GROUP_NAME', 0, at);
}

function fault(name: ProbeEventErrorName, word: number, offset: number): ProbeSyntaxError {
  return new ProbeSyntaxError({ name, word, offset });
}
