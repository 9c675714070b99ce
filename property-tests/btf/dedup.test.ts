import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { type Btf, BtfBuilder, deduplicateBtf, encodeBtf } from '../../src/btf/index.js';
import { buildBtf, plausibleGraphs, typeGraphs } from '../../test/btf/btf-graph.js';
import { describeWithLibbpfDedup } from '../../test/oracle/libbpf-dedup.js';

const runs = Number(process.env['KSCOPE_CASES'] ?? 300);

/** Two graphs, each twice, behind each other; and the second against the first as base. */
const inputs = fc.tuple(plausibleGraphs(16), plausibleGraphs(16)).map(([first, second]): Btf[] => {
  const parts = [buildBtf(first), buildBtf(second)];
  const whole = new BtfBuilder();
  const split = new BtfBuilder({ base: deduplicateBtf(buildBtf(first)).btf });
  for (const btf of [...parts, ...parts]) {
    whole.append(btf);
    split.append(btf);
  }
  return [whole.build(), split.build()];
});

/** What a compiler would have made: no type of it stands there twice. */
const compiled = plausibleGraphs().map((types): Btf => {
  let btf = buildBtf(types);
  for (let count = 0; count !== btf.typeCount; btf = deduplicateBtf(btf).btf) count = btf.typeCount;
  return btf;
});

it('is idempotent: what has no type twice stays, and so it is when appended to itself', () => {
  fc.assert(
    fc.property(compiled, (btf) => {
      expect([...deduplicateBtf(btf).btf]).toEqual([...btf]);
      const builder = new BtfBuilder();
      builder.append(btf);
      const delta = builder.append(btf);
      const { btf: once, ids } = deduplicateBtf(builder.build());
      expect([...once]).toEqual([...btf]);
      for (let id = 1; id < btf.typeCount; id++) expect([ids[id], ids[id + delta]]).toEqual([id, id]);
    }),
    { numRuns: runs },
  );
});

it('graphs that make no sense are deduplicated or refused by a typed error', () => {
  fc.assert(
    fc.property(typeGraphs(), (types) => {
      try {
        expect(deduplicateBtf(buildBtf(types)).btf.typeCount).toBeLessThanOrEqual(types.length + 1);
      } catch (error) {
        expect(error).toBeInstanceOf(BpfError);
      }
    }),
    { numRuns: runs },
  );
});

describeWithLibbpfDedup('random graphs', (libbpf) => {
  it('are deduplicated to what btf__dedup gives, byte for byte', () => {
    const cases = fc.property(fc.array(inputs, { minLength: 10, maxLength: 10 }), (batch) => {
      const btfs = batch.flat();
      const theirs = libbpf.deduplicate(btfs);
      btfs.forEach((btf, i) => {
        const ours = deduplicateBtf(btf).btf;
        expect({ types: ours.typeCount, bytes: encodeBtf(ours) }).toEqual(theirs[i]);
      });
    });
    fc.assert(cases, { numRuns: Math.ceil(runs / 10) });
  });
});
