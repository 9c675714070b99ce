import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { type KernelSymbol, parseKallsyms, SymbolTable } from '../../src/host/index.js';

const TEXT = [
  'ffffffff81000040 T second',
  'ffffffff81000000 T first',
  'ffffffff81000000 t first_alias',
  'ffffffff81000100 d data',
  'ffffffffc0000000 t second\t[module]',
  '',
].join('\n');
const symbols = parseKallsyms(TEXT);

describe('a symbol table', () => {
  it('finds the first of a name, and all of it', () => {
    expect(symbols.lookup('second')?.address).toBe(0xffff_ffff_8100_0040n);
    expect(symbols.lookupAll('second').map(({ module }) => module)).toEqual([undefined, 'module']);
    expect(symbols.lookup('third')).toBeUndefined();
    expect(symbols.lookupAll('third')).toEqual([]);
  });

  it.each([
    ['0xffffffff81000000', 'first+0x0'],
    ['0xffffffff8100003f', 'first+0x3f'],
    ['0xffffffff81000040', 'second+0x0'],
    ['0xffffffff81000101', 'data+0x1'],
    ['0xffffffff80ffffff', '0xffffffff80ffffff'],
    ['0xffffffffc0000000', '0xffffffffc0000000'],
  ])('%s is %s', (address, text) => {
    expect(symbols.format(BigInt(address))).toBe(text);
  });

  it('built from symbols in any order names the first of those at one address', () => {
    const alias = (name: string): KernelSymbol => ({ name, address: 16n, size: 8n, type: 't' });
    expect(new SymbolTable([alias('one'), alias('other')]).at(20n)?.name).toBe('one');
  });

  it('does not name by a mark without a size what begins at the same address', () => {
    const symbol = (name: string, size: bigint): KernelSymbol => ({ name, address: 16n, size, type: 't' });
    const marked = new SymbolTable([symbol('text_start', 0n), symbol('entry', 8n), symbol('text_end', 0n)]);
    expect(marked.at(20n)?.name).toBe('entry');
    expect(marked.at(24n)).toBeUndefined();
  });

  it('is walked in the order of addresses', () => {
    const addresses = [...symbols].map(({ address }) => address);
    expect(addresses).toEqual(addresses.toSorted((a, b) => (a < b ? -1 : Number(a > b))));
  });

  it('of nothing has nothing', () => {
    expect(new SymbolTable([]).at(0n)).toBeUndefined();
  });
});

describe('the text of kallsyms', () => {
  it('gives each symbol the room up to the next address, aliases the same', () => {
    const sizes = Object.fromEntries(
      [...symbols].map(({ name, module, size }) => [`${name} ${module ?? ''}`.trim(), size]),
    );
    expect(sizes).toMatchObject({ first: 0x40n, first_alias: 0x40n, second: 0xc0n });
  });

  it.each([
    ['no address', 'T first'],
    ['a long address', '00000000000000000 T first'],
    ['no name', 'ffffffff81000000 T'],
  ])('with %s is refused with the number of its line', (_what, line) => {
    expect(() => parseKallsyms(`ffffffff81000000 T first\n${line}\n`)).toThrow(BpfError);
    expect(() => parseKallsyms(`ffffffff81000000 T first\n${line}\n`)).toThrow(/kallsyms line 2/);
  });
});
