import { BpfError } from '../../../base/index.js';

/** Characters of GDB's remote serial protocol that frame packets or have a meaning of their own in them. */
const PACKET = 0x24; // $
const NOTIFICATION = 0x25; // %
const END = 0x23; // #
const ESCAPE = 0x7d; // }
const REPEAT = 0x2a; // *
const ACK = 0x2b; // +
const NAK = 0x2d; // -
/** Flipped in an escaped byte. */
const ESCAPE_BIT = 0x20;
/** What a run-length character stands for, over its count. */
const REPEAT_BIAS = 29;
const REPEAT_MIN = 0x20;
const REPEAT_MAX = 0x7e;

/** Stops whatever runs; sent outside of packets. */
export const RSP_INTERRUPT: Uint8Array = Uint8Array.of(3);
export const RSP_ACK: Uint8Array = Uint8Array.of(ACK);

/** No peer sends more in one packet; a stream that seems to is out of step. */
export const RSP_PACKET_MAX = 1 << 20;

/** A packet around `payload`: escaped where its bytes would frame, with its checksum. */
export function encodeRspPacket(payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === 'string' ? latin1(payload) : payload;
  const packet = new Uint8Array(4 + 2 * bytes.length);
  let at = 0;
  packet[at++] = PACKET;
  for (const byte of bytes) {
    if (mustEscape(byte)) {
      packet[at++] = ESCAPE;
      packet[at++] = byte ^ ESCAPE_BIT;
    } else {
      packet[at++] = byte;
    }
  }
  const sum = checksum(packet, 1, at);
  packet[at++] = END;
  packet[at++] = hexDigit(sum >> 4);
  packet[at++] = hexDigit(sum & 15);
  return packet.slice(0, at);
}

/** What a peer sent. `acknowledged`: `+`; `refused`: `-`, it wants the last packet again. */
export type RspItem =
  | { readonly kind: 'packet'; readonly payload: Uint8Array }
  | { readonly kind: 'notification'; readonly payload: Uint8Array }
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'refused' };

/**
 * Takes a peer's bytes as they come, in pieces of any size, and gives whole items. What is between packets and no
 * acknowledgement is noise and dropped. A wrong checksum, a broken escape or run and an endless packet are EPROTO with
 * the offset in the stream.
 */
export class RspDecoder {
  #rest = new Uint8Array();
  /** Bytes taken before `#rest`. */
  #offset = 0;

  /** Items completed by `bytes`, in order. */
  push(bytes: Uint8Array): RspItem[] {
    const all = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    const items: RspItem[] = [];
    let at = 0;
    while (at < all.length) {
      const start = all[at];
      if (start !== PACKET && start !== NOTIFICATION) {
        if (start === ACK) items.push({ kind: 'acknowledged' });
        else if (start === NAK) items.push({ kind: 'refused' });
        at++;
        continue;
      }
      const end = all.indexOf(END, at);
      if (end < 0 || end + 2 >= all.length) break;
      items.push(this.#packet(all, at, end));
      at = end + 3;
    }
    this.#keep(all, at);
    return items;
  }

  #packet(all: Uint8Array, at: number, end: number): RspItem {
    const given = fromHexDigit(all[end + 1]) * 16 + fromHexDigit(all[end + 2]);
    const sum = checksum(all, at + 1, end);
    if (given !== sum) {
      throw new BpfError('EPROTO', 'reading a remote protocol packet', {
        offset: this.#offset + at,
        value: `checksum ${String.fromCharCode(all[end + 1], all[end + 2])}`,
        remedy: `its bytes sum to ${sum.toString(16).padStart(2, '0')}: the stream is damaged or no gdb stub's`,
      });
    }
    const payload = expanded(all.subarray(at + 1, end), this.#offset + at + 1);
    return { kind: all[at] === PACKET ? 'packet' : 'notification', payload };
  }

  #keep(all: Uint8Array, from: number): void {
    this.#rest = all.slice(from);
    this.#offset += from;
    if (this.#rest.length <= RSP_PACKET_MAX) return;
    throw new BpfError('EPROTO', 'reading a remote protocol packet', {
      offset: this.#offset,
      value: this.#rest.length,
      remedy: `a packet has no end after ${RSP_PACKET_MAX} bytes: the stream is damaged or no gdb stub's`,
    });
  }
}

/** Resolves escapes and runs. */
function expanded(body: Uint8Array, offset: number): Uint8Array {
  if (!body.includes(ESCAPE) && !body.includes(REPEAT)) return body.slice();
  const out: number[] = [];
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === ESCAPE) {
      if (i + 1 >= body.length) throw broken('an escape', offset + i, 'nothing follows it');
      out.push(body[++i] ^ ESCAPE_BIT);
    } else if (byte === REPEAT) {
      const count = body[++i];
      if (out.length === 0) throw broken('a run', offset + i, 'nothing precedes it');
      if (count === undefined || count < REPEAT_MIN || count > REPEAT_MAX) {
        throw broken('a run', offset + i, `its length is ${count ?? 'missing'}, not 0x20 to 0x7e`);
      }
      const repeated = out[out.length - 1];
      for (let k = 0; k < count - REPEAT_BIAS; k++) out.push(repeated);
    } else {
      out.push(byte);
    }
  }
  return Uint8Array.from(out);
}

function broken(what: string, offset: number, remedy: string): BpfError {
  return new BpfError('EPROTO', `reading ${what} of a remote protocol packet`, { offset, remedy });
}

function checksum(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum = (sum + bytes[i]) & 0xff;
  return sum;
}

function mustEscape(byte: number): boolean {
  return byte === PACKET || byte === END || byte === ESCAPE || byte === REPEAT;
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

/** NaN for what is none, so that no checksum equals it. */
function fromHexDigit(code: number): number {
  return Number.parseInt(String.fromCharCode(code), 16);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** One byte a character: the protocol's text. */
export function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function fromLatin1(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return text;
}
