import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import {
  encodeRspPacket,
  isRspStop,
  parseRspRegisters,
  parseRspStop,
  RspClient,
  RspDecoder,
  type RspItem,
} from '../../src/host/qemu/index.js';

const numRuns = Number(process.env['KSCOPE_CASES'] ?? 500);
/** Bytes that the protocol gives a meaning to, more often than chance would. */
const spicy = fc.oneof(fc.constantFrom(0x24, 0x23, 0x7d, 0x2a, 0x2b, 0x2d, 0x25, 0x30, 0x4f), fc.nat(255));
const streams = fc.array(spicy, { maxLength: 200 }).map((list) => Uint8Array.from(list));

/** What a decoder makes of `stream` in pieces; the error where it gives one. */
function decode(stream: Uint8Array, cuts: readonly number[]): RspItem[] | string {
  const decoder = new RspDecoder();
  const items: RspItem[] = [];
  const ends = [...cuts.map((cut) => cut % (stream.length + 1)), stream.length].toSorted((a, b) => a - b);
  try {
    let at = 0;
    for (const end of ends) {
      items.push(...decoder.push(stream.subarray(at, end)));
      at = end;
    }
  } catch (error) {
    expect(error).toBeInstanceOf(BpfError);
    return (error as BpfError).message;
  }
  return items;
}

function expectTypedError(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(BpfError);
  }
}

describe('packets of the remote protocol', () => {
  it('any payload comes back as it was, in whatever pieces it arrives', () => {
    fc.assert(
      fc.property(fc.array(streams, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 6 }), (payloads, cuts) => {
        const wire = payloads.flatMap((payload) => [...encodeRspPacket(payload)]);
        const expected = payloads.map((payload) => ({ kind: 'packet', payload }));
        expect(decode(Uint8Array.from(wire), cuts)).toEqual(expected);
      }),
      { numRuns },
    );
  });

  it('any bytes are items or an error with their place, the same in whatever pieces they arrive', () => {
    fc.assert(
      fc.property(streams, fc.array(fc.nat(), { maxLength: 6 }), (stream, cuts) => {
        expect(decode(stream, cuts)).toEqual(decode(stream, []));
      }),
      { numRuns },
    );
  });

  it('a run says what its bytes would', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.integer({ min: 3, max: 97 }), (byte, more) => {
        fc.pre(![0x23, 0x24, 0x7d, 0x2a].includes(byte));
        const body = [byte, 0x2a, more + 29];
        const sum = body.reduce((a, b) => a + b, 0) & 0xff;
        const wire = [0x24, ...body, 0x23, ...Array.from(sum.toString(16).padStart(2, '0'), (c) => c.charCodeAt(0))];
        fc.pre(more + 29 !== 0x23 && more + 29 !== 0x24);
        expect(new RspDecoder().push(Uint8Array.from(wire))).toEqual([
          { kind: 'packet', payload: new Uint8Array(more + 1).fill(byte) },
        ]);
      }),
      { numRuns },
    );
  });
});

describe('answers of a stub', () => {
  it('any text is a stop reply or none, without a crash', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((s) => `T05${s}`),
        ),
        (text) => {
          if (isRspStop(text)) expect(parseRspStop(text)).toHaveProperty('kind');
          else expectTypedError(() => parseRspStop(text));
        },
      ),
      { numRuns },
    );
  });

  it('any target description is registers without overlap or a typed error', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '<reg name="a" bitsize="64"/>',
        '<reg name="b" bitsize="32" regnum="7"/>',
        '<xi:include href="x"/>',
        '<reg',
      ),
      fc.string(),
    );
    const document = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(document, document, (target, other) => {
        expectTypedError(() => {
          const registers = [...parseRspRegisters((name) => (name === 'target.xml' ? target : other)).values()];
          const sorted = registers.toSorted((a, b) => a.offset - b.offset);
          for (const [i, register] of sorted.slice(1).entries()) {
            expect(register.offset).toBeGreaterThanOrEqual(sorted[i].offset + sorted[i].bits / 8);
          }
        });
      }),
      { numRuns },
    );
  });

  it('a stub that answers anything at all makes typed errors, never a crash or a hang', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(streams, fc.string().map(encodeRspPacket)), { maxLength: 12 }), (answers) => {
        let next = 0;
        const client = new RspClient(
          { send: () => undefined, receive: () => answers[next++] ?? null, close: () => undefined },
          { timeoutMs: 0 },
        );
        for (const ask of [
          () => client.start(),
          () => client.threads(),
          () => client.readMemory(0x1000n, 64),
          () => client.readRegisters(),
          () => client.registersOf('01'),
          () => client.step('01'),
        ]) {
          expectTypedError(ask);
        }
      }),
      { numRuns },
    );
  });
});
