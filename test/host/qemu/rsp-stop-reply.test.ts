import { describe, expect, it } from 'vitest';
import { isRspStop, parseRspStop } from '../../../src/host/qemu/index.js';

const stopped = (signal: number, thread: string | null, reasons: [string, string][] = []): object => ({
  kind: 'stopped',
  signal,
  thread,
  reasons: new Map(reasons),
});

describe('parseRspStop', () => {
  it.each([
    ['S05', stopped(5, null)],
    ['T02', stopped(2, null)],
    ['T05thread:01;', stopped(5, '01', [['thread', '01']])],
    [
      'T05thread:p1.2;swbreak:;',
      stopped(5, 'p1.2', [
        ['thread', 'p1.2'],
        ['swbreak', ''],
      ]),
    ],
    ['T8fthread:01;', stopped(0x8f, '01', [['thread', '01']])],
    ['W00', { kind: 'exited', status: 0 }],
    ['W01;process:1', { kind: 'exited', status: 1 }],
    ['X09', { kind: 'terminated', signal: 9 }],
  ])('reads %s', (reply, expected) => {
    expect(parseRspStop(reply)).toEqual(expected);
  });

  it.each(['', 'OK', 'E01', 'T', 'Tzz', 'PacketSize=1000'])('refuses %j', (reply) => {
    expect(isRspStop(reply)).toBe(false);
    expect(() => parseRspStop(reply)).toThrow(/EPROTO; a stop reply begins with S, T, W or X/);
  });
});
