import { lo32 } from '../../../src/base/index.js';
import type { V86Host } from '../../../src/host/v86/index.js';
import type { HostFacts } from '../../../src/testing/index.js';
import { V86Session } from './v86-session.js';

const PAGE = 4096;
const PAGE_OFFSET = 0xc000_0000n;
/** Upper memory that SeaBIOS leaves empty and Linux reserves. */
const SCRATCH = { address: PAGE_OFFSET + 0xe_0000n, size: 4 * PAGE };
/** The kernel leaves so much empty behind its map of low memory: half of VMALLOC_OFFSET is a place without neighbours. */
const HOLE = 4n << 20n;
const OPENS = 200;
const TRAPS = 20;
const CHILDREN = 5;

/** What the host kit wants to know of a test guest, which opens names that it keeps on its stack. */
export function v86Facts(host: V86Host): HostFacts {
  const session = new V86Session(host);
  const edge = endOfLowMemory(host);
  const count = (command: string, name: string): number => {
    const counts = session.run(command);
    if (host.oops !== null) throw new Error(host.oops.message);
    return counts.get(name) ?? NaN;
  };
  return {
    function: 'do_sys_openat2',
    userArgument: 1,
    workload: () => ({ exits: count(`fork ${CHILDREN}`, 'children'), calls: count(`names ${OPENS}`, 'missing') }),
    scratch: SCRATCH,
    edge,
    unmapped: edge + HOLE,
    userEnd: PAGE_OFFSET,
    foreign: () => ({ executed: TRAPS, handled: count(`break ${TRAPS}`, 'sigtraps') }),
  };
}

/** The first page behind the map of low memory. */
function endOfLowMemory(host: V86Host): bigint {
  const byte = new Uint8Array(1);
  let page = PAGE_OFFSET + 0x100_0000n;
  while (host.memory.readKernel(lo32(page), 0, byte, 0, 1)) page += BigInt(PAGE);
  return page;
}
