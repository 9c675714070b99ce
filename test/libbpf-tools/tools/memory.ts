import { JournalKind as Kind } from '../../../src/host/sim/index.js';
import { countBy } from '../journal-models.js';
import { decode } from '../layout.js';
import { MIXED, sums, type Tool } from '../tool.js';

export const memoryTools: readonly Tool[] = [
  {
    name: 'slabratetop',
    workload: MIXED,
    compares: 'number of allocations from caches',
    compare: (session) => {
      const allocated = session.journal(Kind.CACHE_ALLOC);
      const of = (value: Uint8Array) => decode({ name: 32, count: 'u64', size: 'u64' }, value);
      return sums(
        countBy(
          session.elements('slab_entries'),
          () => 'all',
          ({ value }) => Number(of(value).count),
        ),
        [`all: ${allocated.length}`],
        allocated.length,
      );
    },
  },
];
