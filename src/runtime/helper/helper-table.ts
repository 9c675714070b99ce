import type { Helper } from './helper.js';
import { dynptrHelpers } from './dynptr-helpers.js';
import { loopHelpers } from './loop-helpers.js';
import { mapHelpers } from './map-helpers.js';
import { miscHelpers, xorshift32 } from './misc-helpers.js';
import { perfHelpers } from './perf-helpers.js';
import { printHelpers } from './print-helpers.js';
import { btfPrintHelpers } from './btf-print-helpers.js';
import { probeReadHelpers } from './probe-read-helpers.js';
import { ringbufHelpers } from './ringbuf-helpers.js';
import { seqHelpers } from './seq-helpers.js';
import { stackHelpers } from './stack-helpers.js';
import { cgroupHelpers } from './cgroup-helpers.js';
import { pathHelpers } from './path-helpers.js';
import { taskStructHelpers } from './task-struct-helpers.js';
import { taskHelpers } from './task-helpers.js';
import { timeHelpers } from './time-helpers.js';
import { trampolineHelpers } from './trampoline-helpers.js';

export interface HelperTableOptions {
  /** Seed of bpf_get_prandom_u32. */
  readonly randomSeed?: number;
}

/** The helpers there are, by Linux's number. One table per runtime: random numbers have a state. */
export function createHelperTable(options: HelperTableOptions = {}): ReadonlyMap<number, Helper> {
  const rows: readonly Helper[] = [
    ...mapHelpers,
    ...probeReadHelpers,
    ...timeHelpers,
    ...taskHelpers,
    ...printHelpers,
    ...btfPrintHelpers,
    ...perfHelpers,
    ...ringbufHelpers,
    ...dynptrHelpers,
    ...stackHelpers,
    ...loopHelpers,
    ...taskStructHelpers,
    ...cgroupHelpers,
    ...pathHelpers,
    ...seqHelpers,
    ...trampolineHelpers,
    ...miscHelpers(xorshift32(options.randomSeed ?? 0x2545f491)),
  ];
  return new Map(rows.map((row) => [row.id, row]));
}

/** The row of a helper by its name, without or with the `bpf_` in front. */
export function helperByName(table: ReadonlyMap<number, Helper>, name: string): Helper | undefined {
  const bare = name.startsWith('bpf_') ? name.slice(4) : name;
  for (const row of table.values()) if (row.name === bare) return row;
  return undefined;
}
