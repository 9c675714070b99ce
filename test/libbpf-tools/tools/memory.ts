import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import { countBy } from '../journal-models.js';
import { decode } from '../layout.js';
import { MIXED, sums, type Tool } from '../tool.js';

const ascending = (a: number, b: number): number => a - b;

export const memoryTools: readonly Tool[] = [
  {
    name: 'slabratetop',
    workload: MIXED,
    watches: [
      {
        symbol: 'kmem_cache_alloc',
        enter: (look) => ({
          key: look.u64(look.member(look.argument(0), 'kmem_cache', 'name')),
          name: look.text(look.u64(look.member(look.argument(0), 'kmem_cache', 'name'))),
          size: look.u32(look.member(look.argument(0), 'kmem_cache', 'size')),
        }),
      },
    ],
    compares: 'name, allocations and bytes of each cache',
    compare: (session) => {
      const calls = session.execution.callsOf('kmem_cache_alloc');
      const sizes = session.journal(Kind.CACHE_ALLOC).map(({ c }) => Number(c));
      const seen = calls.map((call) => call.seen as { key: bigint; name: string; size: number });
      if (String(sizes.toSorted(ascending)) !== String(seen.map(({ size }) => size).toSorted(ascending)))
        throw new RangeError('the journal has other allocations');
      return sums(
        session.elements('slab_entries').map(({ key, value }) => {
          const { name, count, size } = decode({ name: 32, count: 'u64', size: 'u64' }, value);
          return `${decode({ name: 'u64' }, key).name} ${name} ${size}: ${count}`;
        }),
        countBy(seen, ({ key, name, size }) => {
          const all = seen.filter((each) => each.key === key).length;
          return `${key} ${name} ${all * size}`;
        }),
        calls.length,
      );
    },
  },
];
