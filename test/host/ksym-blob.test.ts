import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import {
  formatKallsyms,
  type KernelSymbol,
  parseKallsyms,
  parseKsymBlob,
  writeKsymBlob,
} from '../../src/host/index.js';
import { createSim } from '../../src/host/sim/index.js';

const TEXT = { start: 0x1000n, end: 0x2000n };

/** A blob written by hand: `parts` in the order of the format, each aligned as it says. */
function handMade(
  addresses: readonly bigint[],
  names: readonly (readonly [string, readonly number[]])[],
  tokens: readonly string[],
): Uint8Array {
  const bytes: number[] = [];
  const put = (value: bigint, size: number): void => {
    for (let i = 0; i < size; i++) bytes.push(Number((value >> BigInt(8 * i)) & 0xffn));
  };
  const align = (to: number): void => {
    while (bytes.length % to !== 0) bytes.push(0);
  };
  put(BigInt(addresses.length), 8);
  for (const address of addresses) put(address, 8);
  const entries = names.map(([type, payload]) => [
    type.charCodeAt(0),
    payload.length & 0xff,
    payload.length >> 8,
    ...payload,
  ]);
  let at = 0;
  for (const entry of entries) {
    put(BigInt(at), 4);
    at += entry.length;
  }
  for (let i = 0; i < addresses.length; i++) put(BigInt(i), 4);
  align(8);
  put(BigInt(at), 8);
  bytes.push(...entries.flat());
  align(8);
  const table = new TextEncoder().encode(tokens.join(''));
  put(BigInt(table.length), 8);
  bytes.push(...table);
  align(8);
  put(BigInt(tokens.length), 8);
  let start = 0;
  for (const token of tokens) {
    put(BigInt(start), 4);
    start += token.length;
  }
  return Uint8Array.from(bytes);
}

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
const manyTokens = Array.from({ length: 512 }, (_, i) => `token${i}_`);
const symbol = (name: string, address: bigint, type = 'T'): Omit<KernelSymbol, 'size'> => ({ name, address, type });

describe('a ksym blob', () => {
  it('has addresses, types and names behind tokens of one and of two bytes', () => {
    const blob = handMade(
      [0x1000n, 0x1010n, 0x1020n, 0x1030n],
      [
        ['T', ascii('plain')],
        ['t', [0xff, 3, 0xff, ...ascii('one')]],
        ['T', [0xff, 1, 44, 0xff, ...ascii('two')]],
        ['T', [0xff, 255, 0xff]],
      ],
      manyTokens,
    );
    expect([...parseKsymBlob(blob, TEXT)]).toEqual([
      { name: 'plain', address: 0x1000n, type: 'T', size: 16n },
      { name: 'token3_one', address: 0x1010n, type: 't', size: 16n },
      { name: 'token300_two', address: 0x1020n, type: 'T', size: 16n },
      { name: 'token255_', address: 0x1030n, type: 'T', size: 0xfd0n },
    ]);
  });

  it('tells token 511 from token 1, which begins with the same bytes', () => {
    const names = [
      ['T', [0xff, 1, 0xff, 0xff, ...ascii('rest')]],
      ['T', [0xff, 1, 0xff, ...ascii('rest')]],
    ] as const;
    const table = parseKsymBlob(handMade([0x1000n, 0x1010n], names, manyTokens), TEXT);
    expect([...table].map(({ name }) => name)).toEqual(['token511_rest', 'token1_rest']);
  });

  it('never has a token whose reference is ambiguous', () => {
    // 600 beginnings, each of which is worth a token.
    const symbols = Array.from({ length: 1800 }, (_, i) =>
      symbol(`beginning_number_${String(i % 600).padStart(3, '0')}_of_${i}`, BigInt(0x1000 + i)),
    );
    const blob = writeKsymBlob(symbols);
    expect([...parseKsymBlob(blob)].map(({ name }) => name)).toEqual(symbols.map(({ name }) => name));
    expect(blob.length).toBeLessThan(formatKallsyms(parseKsymBlob(blob)).length * 0.8);
    expect(new DataView(blob.buffer).getBigUint64(blob.length - 4 * 511 - 8, true)).toBe(511n);
  });

  it('keeps text symbols only, unless told otherwise', () => {
    const symbols = [symbol('f', 1n), symbol('g', 2n, 't'), symbol('data', 3n, 'D')];
    expect([...parseKsymBlob(writeKsymBlob(symbols))].map(({ name }) => name)).toEqual(['f', 'g']);
    const all = writeKsymBlob(symbols, { keep: () => true });
    expect([...parseKsymBlob(all)].map(({ type }) => type)).toEqual(['T', 't', 'D']);
  });

  it('of the simulated kernel gives back its text of nm', () => {
    const { symbols } = createSim();
    const text = formatKallsyms([...symbols].filter(({ type }) => /^[tT]$/.test(type)));
    expect(text.split('\n').length).toBeGreaterThan(500);
    expect(formatKallsyms(parseKsymBlob(writeKsymBlob(parseKallsyms(text))))).toBe(text);
  });

  it('of no symbols is one', () => {
    expect([...parseKsymBlob(writeKsymBlob([]))]).toEqual([]);
  });
});

describe('symbols of a ksym blob', () => {
  const table = parseKsymBlob(
    writeKsymBlob([
      symbol('first', 0x1000n),
      symbol('alias_a', 0x1100n),
      symbol('alias_b', 0x1100n),
      symbol('same', 0x1200n),
      symbol('same', 0x1300n, 't'),
      symbol('exit_text', 0x2000n),
    ]),
    TEXT,
  );

  it.each([
    ['below the text', 0xfffn, '0xfff'],
    ['in the first', 0x10ffn, 'first+0xff'],
    ['inside of aliases, by the first of them', 0x1101n, 'alias_a+0x1'],
    ['in the last, which ends with the text', 0x1fffn, 'same+0xcff'],
    ['behind the text, though a symbol begins there', 0x2000n, '0x2000'],
  ])('name an address %s', (_where, address, name) => {
    expect(table.format(address)).toBe(name);
  });

  it('are found by name, all of one name, and none before the first or behind the last', () => {
    expect(table.lookup('alias_b')?.address).toBe(0x1100n);
    expect(table.lookupAll('same').map(({ address }) => address)).toEqual([0x1200n, 0x1300n]);
    expect(table.lookup('a')).toBeUndefined();
    expect(table.lookup('zzz')).toBeUndefined();
  });
});

describe('what is no ksym blob', () => {
  const good = handMade(
    [0x1000n, 0x1010n],
    [
      ['T', ascii('one')],
      ['T', [0xff, 0, 0xff]],
    ],
    ['token'],
  );
  const changed = (at: number, ...values: number[]): Uint8Array => {
    const blob = good.slice();
    blob.set(values, at);
    return blob;
  };

  it.each([
    ['no bytes', new Uint8Array(0), 'offset 0'],
    ['more symbols than bytes', changed(0, 0xff, 0xff), 'runs past the end'],
    ['a count that no file can have', changed(4, 1), 'the number of symbols'],
    ['addresses that go down', changed(16, 0, 0), 'symbol 1 is below'],
    ['a name outside of the names', changed(28, 200), 'the name of symbol 1 runs past'],
    ['an order with a symbol twice', changed(36, 0), 'the order of names'],
    ['a type that is no letter', changed(48, 7), 'the type of symbol 0'],
    ['a token that is not there', changed(58, 9), 'a token that is not there'],
    ['tokens cut short', good.subarray(0, good.length - 4), 'runs past the end'],
  ])('%s is refused by place and value', (_what, blob, message) => {
    expect(() => parseKsymBlob(blob)).toThrow(BpfError);
    expect(() => parseKsymBlob(blob)).toThrow(message);
  });

  it.each([
    ['a name that readers have no room for', symbol('x'.repeat(1025), 0n), 'ENAMETOOLONG'],
    ['no name', symbol('', 0n), 'EINVAL'],
    ['a type of two letters', { ...symbol('f', 0n), type: 'TT' }, 'EINVAL'],
  ])('%s is not written', (_what, wrong, code) => {
    expect(() => writeKsymBlob([wrong], { keep: () => true })).toThrow(code);
  });
});
