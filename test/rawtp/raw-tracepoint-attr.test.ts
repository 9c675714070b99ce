import { describe, expect, it } from 'vitest';
import { parseRawTracepointAttr, readTracepointName } from '../../src/rawtp/index.js';

/** {u64 name, u32 prog_fd, u32 unused, u64 cookie}, in `size` bytes. */
function attr(size = 168): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 0x7fff_0000_1000n, true);
  view.setUint32(8, 5, true);
  view.setBigUint64(16, 0xffff_ffff_0000_0001n, true);
  return bytes;
}

function withByte(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at] = 1;
  return bytes;
}

describe('the attributes of BPF_RAW_TRACEPOINT_OPEN', () => {
  const expected = { name: 0x7fff_0000_1000n, progFd: 5, cookie: 0xffff_ffff_0000_0001n };

  it.each([24, 120, 168, 200, 4096])('are read from %i bytes', (size) => {
    expect(parseRawTracepointAttr(attr(size))).toEqual(expected);
  });

  it('that end early go on with zeros', () => {
    expect(parseRawTracepointAttr(attr().subarray(0, 16))).toEqual({ ...expected, cookie: 0n });
    expect(parseRawTracepointAttr(attr().subarray(0, 9))).toEqual({ ...expected, cookie: 0n });
    expect(parseRawTracepointAttr(new Uint8Array())).toEqual({ name: 0n, progFd: 0, cookie: 0n });
  });

  it('may have anything in the unnamed bytes of the struct', () => {
    expect(parseRawTracepointAttr(withByte(attr(), 12))).toEqual(expected);
  });

  it.each([
    [24, 168, 'EINVAL', 24],
    [167, 168, 'EINVAL', 167],
    [168, 200, 'E2BIG', 168],
    [199, 200, 'E2BIG', 199],
  ])('with a byte at %i of %i that means nothing are %s', (at, size, code, offset) => {
    expect(() => parseRawTracepointAttr(withByte(attr(size), at))).toThrowError(
      expect.objectContaining({ code, detail: expect.objectContaining({ offset }) as object }) as Error,
    );
  });

  it('of more than a page are E2BIG', () => {
    expect(() => parseRawTracepointAttr(attr(4097))).toThrowError(/E2BIG/);
  });
});

describe('the name', () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

  it.each([
    ['ends at its NUL', 'sched_switch\0rest', 'sched_switch'],
    ['may fill what the reader gave', 'sched_switch', 'sched_switch'],
    ['is cut to 127 bytes', `${'a'.repeat(200)}\0`, 'a'.repeat(127)],
    ['may be empty', '\0', ''],
  ])('%s', (_name, memory, expected) => {
    const asked: unknown[] = [];
    const name = readTracepointName(0x1000n, (address, length) => {
      asked.push(address, length);
      return encode(memory);
    });
    expect(name).toBe(expected);
    expect(asked).toEqual([0x1000n, 127]);
  });

  it('that cannot be read is EFAULT', () => {
    expect(() => readTracepointName(0x10n, () => null)).toThrowError(/EFAULT/);
  });
});
