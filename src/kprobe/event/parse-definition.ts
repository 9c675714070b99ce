import { BpfError } from '../../base/index.js';
import { type Host, whyNoFunction } from '../../host/index.js';
import { expandDentry } from './expand-dentry.js';
import type { FetchArg } from './fetch-arg.js';
import {
  defaultEventName,
  type EventDefinition,
  type EventPlace,
  parseEventName,
  parseKind,
  parsePlace,
} from './event-definition.js';
import { parseFetchArg } from './parse-fetch-arg.js';
import { ProbeEventError, type ProbeEventFault, ProbeSyntaxError } from './probe-event-error.js';

/** Arguments that an event may have (MAX_TRACE_ARGS). */
const MAX_ARGS = 128;
const USAGE =
  'write p[:[GROUP/]EVENT] PLACE [ARG]... or r[MAXACTIVE][:[GROUP/]EVENT] PLACE [ARG]..., PLACE being SYMBOL[+OFFSET] or an address';

/**
 * Parses a definition of a kprobe event for a host, whose symbols and registers it names. Throws ProbeEventError with the
 * errno and the log of Linux, whose order of checks is kept.
 */
export function parseDefinition(words: readonly string[], host: Host): EventDefinition {
  try {
    return parse(words, host);
  } catch (error) {
    if (error instanceof ProbeSyntaxError)
      throw new ProbeEventError(error.code, words, error.fault, { hint: error.hint });
    throw error;
  }
}

function parse(words: readonly string[], host: Host): EventDefinition {
  const [first, second, ...args] = words;
  // What is no kprobe event may be another one's: it is not logged.
  if (!/^[pr]/.test(first) || second === undefined) throw new ProbeSyntaxError(null, 'EINVAL', USAGE);
  const kind = parseKind(first);
  const found = parsePlace(second);
  if (found === null) throw new ProbeSyntaxError(null, 'EINVAL', `${second} is the place of a uprobe: ${USAGE}`);
  const { place } = found;
  const isReturn = kind.isReturn || found.isReturn;
  const isEntry = checkPlace(place, isReturn, host);
  const name = parseEventName(first);
  const event = name.event ?? defaultEventName(isReturn, place);
  // Of a probe that is placed by address nothing is known, be it at a return.
  const at = place.kind === 'address' ? 'inside' : isReturn ? 'return' : isEntry ? 'entry' : 'inside';
  return {
    isReturn,
    maxactive: kind.maxactive,
    group: name.group,
    event,
    place,
    args: parseArgs(args, at, host),
    words,
  };
}

function parseArgs(words: readonly string[], at: 'entry' | 'return' | 'inside', host: Host): FetchArg[] {
  const { ptRegs: layout, pointerSize: wordSize } = host.arch;
  if (words.length > MAX_ARGS) throw new ProbeSyntaxError({ name: 'TOO_MANY_ARGS', word: 2, offset: 0 }, 'E2BIG');
  const args: FetchArg[] = [];
  for (const [i, word] of words.entries()) {
    args.push(parseFetchArg(expandDentry(word, host.btf), args, { layout, wordSize, at, word: i + 2 }));
  }
  return args;
}

/** Whether the place is a function's first instruction; refuses names that no or several symbols have. */
function checkPlace(place: EventPlace, isReturn: boolean, host: Host): boolean {
  if (place.kind === 'address' || place.module !== null) return false;
  const same = host.symbols.lookupAll(place.symbol).length;
  const fault = (name: ProbeEventFault['name']): ProbeEventFault => ({ name, word: 1, offset: 0 });
  if (isReturn && same > 0 && place.offset !== 0) throw new ProbeSyntaxError(fault('BAD_RETPROBE'));
  if (same > 1)
    throw new ProbeSyntaxError(fault('NON_UNIQ_SYMBOL'), 'EADDRNOTAVAIL', 'give the address of one of them');
  if (same === 0) throw new ProbeSyntaxError(fault('BAD_PROBE_ADDR'), 'ENOENT', whyNoFunction(host, place.symbol));
  return place.offset === 0;
}

/** What the kernel logs when a probe cannot be registered. */
export function registrationError(error: unknown, words: readonly string[]): unknown {
  if (!(error instanceof BpfError) || error instanceof ProbeEventError) return error;
  const fault = (name: ProbeEventFault['name']): ProbeEventFault => ({ name, word: 1, offset: 0 });
  switch (error.code) {
    case 'EILSEQ':
      return new ProbeEventError(error.code, words, fault('BAD_INSN_BNDRY'), { cause: error });
    case 'ENOENT':
      return new ProbeEventError(error.code, words, fault('BAD_PROBE_ADDR'), { cause: error });
    case 'ENOMEM':
    case 'EEXIST':
      return new ProbeEventError(error.code, words, null, { cause: error });
    default:
      return new ProbeEventError(error.code, words, fault('FAIL_REG_PROBE'), { cause: error });
  }
}
