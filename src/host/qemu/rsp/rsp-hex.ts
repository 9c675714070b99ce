import { BpfError } from '../../../base/index.js';

const PAIR = /^(?:[0-9a-f]{2})*$/i;

/** The bytes of pairs of hexadecimal digits; EPROTO for anything else. `what` says what was read. */
export function fromRspHex(text: string, what: string): Uint8Array {
  if (!PAIR.test(text)) {
    throw new BpfError('EPROTO', `reading ${what} from a gdb stub`, {
      value: text.slice(0, 40),
      remedy: text.startsWith('E') ? 'the stub refused the request' : 'the answer is not hexadecimal',
    });
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
