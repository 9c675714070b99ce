import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { type Btf, BtfBuilder, encodeBtf, parseBtf } from '../../src/btf/index.js';
import { buildBtf, typeGraphs } from '../../test/btf/btf-graph.js';

const runs = Number(process.env['KSCOPE_CASES'] ?? 300);

/** The types without what the kinds leave out when it is absent. */
const typesOf = (btf: Btf): unknown[] => [...btf];

describe('graphs of all kinds', () => {
  it.each([true, false])('are built, encoded and parsed to the same types (little-endian: %s)', (littleEndian) => {
    fc.assert(
      fc.property(typeGraphs(), (types) => {
        const built = buildBtf(types, { littleEndian });
        const parsed = parseBtf(encodeBtf(built));
        expect(parsed.littleEndian).toBe(littleEndian);
        expect(typesOf(parsed)).toEqual(types.map((type, i) => ({ name: '', ...type, id: i + 1 })));
        expect(encodeBtf(parsed)).toEqual(encodeBtf(built));
      }),
      { numRuns: runs },
    );
  });

  it('keep their types in the other byte order', () => {
    fc.assert(
      fc.property(typeGraphs(), (types) => {
        const btf = buildBtf(types);
        const swapped = parseBtf(encodeBtf(btf, false));
        expect(swapped.littleEndian).toBe(false);
        expect(typesOf(swapped)).toEqual(typesOf(btf));
        expect(encodeBtf(swapped, true)).toEqual(encodeBtf(btf));
      }),
      { numRuns: runs },
    );
  });

  it('are split and appended without a change but of ids', () => {
    const bases = typeGraphs().chain((base) => fc.tuple(fc.constant(base), typeGraphs(base.length + 1)));
    fc.assert(
      fc.property(bases, ([baseTypes, ownTypes]) => {
        const base = buildBtf(baseTypes);
        const split = parseBtf(encodeBtf(buildBtf(ownTypes, { base })), base);
        expect(typesOf(split)).toEqual(
          [...baseTypes, ...ownTypes].map((type, i) => ({ name: '', ...type, id: i + 1 })),
        );
        const builder = new BtfBuilder();
        builder.append(base);
        for (const type of ownTypes) builder.add(type);
        expect(typesOf(builder.build())).toEqual(typesOf(split));
        const again = new BtfBuilder({ base });
        expect(again.append(split)).toBe(0);
        expect(encodeBtf(again.build())).toEqual(encodeBtf(split));
      }),
      { numRuns: runs },
    );
  });
});

it('mutated bytes are parsed or refused by a typed error, and what is parsed round-trips', () => {
  fc.assert(
    fc.property(
      typeGraphs(),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (types, edits, cut) => {
        const bytes = encodeBtf(buildBtf(types));
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        const given = cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
        const btf = parsedOrRefused(given);
        if (btf === undefined) return;
        expect(typesOf(parseBtf(encodeBtf(btf)))).toEqual(typesOf(btf));
        for (const { id } of btf) sizedOrRefused(btf, id);
      },
    ),
    { numRuns: runs },
  );
});

function parsedOrRefused(bytes: Uint8Array): Btf | undefined {
  try {
    return parseBtf(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(BpfError);
    return undefined;
  }
}

function sizedOrRefused(btf: Btf, id: number): void {
  for (const ask of [() => btf.sizeOf(id), () => btf.alignmentOf(id)]) {
    try {
      expect(ask()).toBeGreaterThanOrEqual(0);
    } catch (error) {
      expect(error).toBeInstanceOf(BpfError);
    }
  }
}
