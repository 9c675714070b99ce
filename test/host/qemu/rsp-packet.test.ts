import { describe, expect, it } from 'vitest';
import { encodeRspPacket, RspDecoder, RSP_PACKET_MAX } from '../../../src/host/qemu/index.js';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const text = (data: Uint8Array): string => String.fromCharCode(...data);
const packets = (stream: string): string[] =>
  new RspDecoder().push(bytes(stream)).map((item) => ('payload' in item ? text(item.payload) : item.kind));

describe('encodeRspPacket', () => {
  it.each([
    ['', '$#00'],
    ['g', '$g#67'],
    ['OK', '$OK#9a'],
    ['m1000,4', '$m1000,4#8e'],
    ['a#b', '$a}\x03b#43'],
    ['$}*', '$}\x04}]}\x0a#e2'],
  ])('frames %j as %j', (payload, framed) => {
    expect(text(encodeRspPacket(payload))).toBe(framed);
  });
});

describe('RspDecoder', () => {
  it.each<[string, string, string[]]>([
    ['a packet', '$OK#9a', ['OK']],
    ['acknowledgements', '+-', ['acknowledged', 'refused']],
    ['noise around packets', '\r\nxx$OK#9a\0', ['OK']],
    ['several at once', '+$OK#9a$g#67', ['acknowledged', 'OK', 'g']],
    ['an escaped byte', '$a}\x03b#43', ['a#b']],
    ['a run', '$0* #7a', ['0000']],
    ['runs of several bytes', '$a*!b*"#5a', ['aaaaabbbbbb']],
    ['upper case digits of a checksum', '$OK#9A', ['OK']],
    ['a notification', '%OK#9a', ['OK']],
    ['an unfinished packet', '$OK#9', []],
  ])('reads %s', (_what, stream, expected) => {
    expect(packets(stream)).toEqual(expected);
  });

  it.each<[string, string, string]>([
    ['a wrong checksum', '$OK#9b', 'offset 0 (0x0), value checksum 9b]: EPROTO; its bytes sum to 9a'],
    ['a checksum of other characters', '+$OK#zz', 'offset 1 (0x1), value checksum zz]: EPROTO'],
    [
      'an escape of nothing',
      '$a}#de',
      'an escape of a remote protocol packet [offset 2 (0x2)]: EPROTO; nothing follows',
    ],
    ['a run of nothing', '$* #4a', 'a run of a remote protocol packet [offset 2 (0x2)]: EPROTO; nothing precedes'],
    ['a run without a length', '$a*#8b', 'its length is missing'],
    ['a run that is too short', '$a*\x1f#aa', 'its length is 31, not 0x20 to 0x7e'],
  ])('refuses %s, with the place', (_what, stream, message) => {
    expect(() => packets(stream)).toThrow(message);
  });

  it('gives up on a packet without an end', () => {
    const decoder = new RspDecoder();
    expect(() => decoder.push(new Uint8Array(RSP_PACKET_MAX + 2).fill(0x24))).toThrow(/EPROTO; a packet has no end/);
  });
});
