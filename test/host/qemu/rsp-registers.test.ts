import { describe, expect, it } from 'vitest';
import { parseRspRegisters } from '../../../src/host/qemu/index.js';

const parse = (documents: Readonly<Record<string, string>>): unknown[] => [
  ...parseRspRegisters((name) => documents[name] ?? '').values(),
];

describe('parseRspRegisters', () => {
  it('follows includes, numbers registers on and lays them out by number', () => {
    const registers = parse({
      'target.xml': '<target><xi:include href="core.xml"/><xi:include href="fp.xml"/></target>',
      'core.xml':
        '<reg name="rax" bitsize="64" regnum="0"/><reg name="rbx" bitsize="64"/><reg name="eflags" bitsize="32"/>',
      'fp.xml': '<reg bitsize="80" name="st0" type="i387_ext" regnum="10"/><reg name="early" bitsize="32" regnum="3"/>',
    });
    expect(registers).toEqual([
      { name: 'rax', bits: 64, number: 0, offset: 0 },
      { name: 'rbx', bits: 64, number: 1, offset: 8 },
      { name: 'eflags', bits: 32, number: 2, offset: 16 },
      { name: 'early', bits: 32, number: 3, offset: 20 },
      { name: 'st0', bits: 80, number: 10, offset: 24 },
    ]);
  });

  it.each([
    ['a register without a name', '<reg bitsize="64"/>', 'a register has no name'],
    ['one without a size', '<reg name="a"/>', 'register a has no bits'],
    ['one of half a byte', '<reg name="a" bitsize="4"/>', 'register a has 4 bits'],
    ['a number that is none', '<reg name="a" bitsize="8" regnum="x"/>', 'register a has number x'],
    ['a document that includes itself', '<xi:include href="target.xml"/>', 'includes more than 64 documents'],
    ['endless registers', '<reg name="a" bitsize="8"/>'.repeat(4097), 'more than 4096 registers'],
  ])('refuses %s', (_what, document, message) => {
    expect(() => parse({ 'target.xml': document })).toThrow(`section target.xml]: EPROTO; `);
    expect(() => parse({ 'target.xml': document })).toThrow(message);
  });
});
