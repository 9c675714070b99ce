import { BpfError } from '../../../base/index.js';
import { fromRspHex } from './rsp-hex.js';
import { fromLatin1 } from './rsp-packet.js';

/** Why a peer stopped running. */
export type RspStop =
  | {
      readonly kind: 'stopped';
      readonly signal: number;
      /** Thread that stopped, as the stub names it; null where it does not say. */
      readonly thread: string | null;
      /** `swbreak`, `hwbreak`, `watch` ... with its value, where the stub says. */
      readonly reasons: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'terminated'; readonly signal: number };

const STOP = /^([STWX])([0-9a-f]{2})(.*)$/is;

/** Whether a packet is a stop reply; console output (`O`) is none. */
export function isRspStop(text: string): boolean {
  return STOP.test(text);
}

/** Reads `S05`, `T05thread:01;…`, `W00`, `X09`. Anything else is EPROTO. */
export function parseRspStop(text: string): RspStop {
  const match = STOP.exec(text);
  if (match === null) {
    throw new BpfError('EPROTO', 'reading why the guest stopped', {
      value: text.slice(0, 40),
      remedy: 'a stop reply begins with S, T, W or X and two hexadecimal digits',
    });
  }
  const [, kind, digits, rest] = match as unknown as [string, string, string, string];
  const number = Number.parseInt(digits, 16);
  if (kind === 'W') return { kind: 'exited', status: number };
  if (kind === 'X') return { kind: 'terminated', signal: number };
  const reasons = new Map<string, string>();
  for (const pair of kind === 'T' ? rest.split(';') : []) {
    const colon = pair.indexOf(':');
    if (colon > 0) reasons.set(pair.slice(0, colon), pair.slice(colon + 1));
  }
  return { kind: 'stopped', signal: number, thread: reasons.get('thread') ?? null, reasons };
}

/** The text of an `O` packet, or null if it is none. `OK` is none. */
export function rspConsole(text: string): string | null {
  if (!/^O(?:[0-9a-f]{2})+$/i.test(text)) return null;
  return fromLatin1(fromRspHex(text.slice(1), 'console output'));
}
