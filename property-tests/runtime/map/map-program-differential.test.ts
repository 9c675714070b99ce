import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { BpfMapFlag, BpfMapType } from '../../../src/base/index.js';
import { describeWithLinux } from '../../../test/oracle/linux.js';
import { SideBySide, sides, type MapPair } from '../../../test/runtime/side-by-side.js';
import { MAX_OPERATIONS, mapProgram, programOperations } from './map-program.js';
import { sysValueSize } from './map-operations.js';

/** Sequences per map type; each is up to four programs of up to 16 operations. */
const RUNS = Number(process.env['KSCOPE_MAP_RUNS'] ?? 40);

const { BPF_F_ZERO_SEED, BPF_F_NO_COMMON_LRU } = BpfMapFlag;
const subjects = [
  ['hash', BpfMapType.BPF_MAP_TYPE_HASH, BPF_F_ZERO_SEED],
  ['percpu_hash', BpfMapType.BPF_MAP_TYPE_PERCPU_HASH, BPF_F_ZERO_SEED],
  ['lru_hash', BpfMapType.BPF_MAP_TYPE_LRU_HASH, BPF_F_ZERO_SEED],
  ['lru_percpu_hash', BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_F_ZERO_SEED],
  ['lru_hash with lists per CPU', BpfMapType.BPF_MAP_TYPE_LRU_HASH, BPF_F_ZERO_SEED | BPF_F_NO_COMMON_LRU],
  ['array', BpfMapType.BPF_MAP_TYPE_ARRAY, 0],
  ['percpu_array', BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY, 0],
] as const;

describeWithLinux('programs find in maps what they find in the kernel', (linux) => {
  const cases = sides.flatMap(([engine, create]) =>
    subjects.map(([name, type, flags]) => [engine, name, type, flags, create] as const),
  );
  it.each(cases)(
    '%s, %s: results, pointers kept, contents and their order',
    async (_engine, _name, type, flags, create) => {
      const scenario = fc.record({
        maxEntries: fc.constantFrom(1, 2, 4, 7, 16),
        programs: fc.array(programOperations(12), { minLength: 1, maxLength: 4 }),
      });
      const property = fc.asyncProperty(scenario, async ({ maxEntries, programs }) => {
        const pair = new SideBySide(linux, create());
        const subject = pair.map({ type, flags, maxEntries });
        const results = pair.map({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, valueSize: 8 * MAX_OPERATIONS });
        for (const operations of programs) {
          await pair.run(mapProgram(operations));
          const answers = await pair.firstValue(results);
          expect(answers.ours, 'results').toEqual(answers.linux);
          expect(dumpOurs(subject), 'contents').toEqual(await dumpLinux(pair, subject));
        }
        await pair.close();
      });
      await fc.assert(property, { numRuns: RUNS });
    },
  );
});

type Entry = readonly [key: string, value: string];

function hex(bytes: Uint8Array | number): string {
  return typeof bytes === 'number' ? String(bytes) : Buffer.from(bytes).toString('hex');
}

function dumpOurs({ ours }: MapPair): Entry[] {
  const entries: Entry[] = [];
  for (let key = ours.sysNextKey(null); typeof key !== 'number'; key = ours.sysNextKey(key)) {
    entries.push([hex(key), hex(ours.sysLookup(key))]);
  }
  return entries;
}

async function dumpLinux(pair: SideBySide, { slot, spec }: MapPair): Promise<Entry[]> {
  const { linux } = pair;
  const size = sysValueSize(spec, linux.cpus);
  const entries: Entry[] = [];
  let key = await linux.mapNextKey(slot, null, spec.keySize);
  while (typeof key !== 'number') {
    entries.push([hex(key), hex(await linux.mapLookup(slot, key, size))]);
    key = await linux.mapNextKey(slot, key, spec.keySize);
  }
  return entries;
}
