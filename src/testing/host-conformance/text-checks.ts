import { hex64, toHex } from '../../base/index.js';
import { type HostBench, same } from './host-bench.js';
import type { CheckSpec } from './host-check.js';
import { must } from './host-check.js';

const ALIGNMENT = 16n;
const BLOCKS = [16, 48, 64, 100, 1000];
/** Far more than any host has room for, if nothing came back. */
const ROUNDS = 3000;
const PAGE = 4096;

const noText = ({ host }: HostBench): string | null => (host.text === null ? 'host.text is null' : null);
const noReturns = ({ host }: HostBench): string | null =>
  host.text === null || host.text.returnTrampoline === null ? 'host.text.returnTrampoline is null' : null;

/** The bytes that a breakpoint on the function replaces, and the breakpoint. */
function breakpointPair(bench: HostBench): { address: bigint; original: Uint8Array; breakpoint: Uint8Array } {
  const { probing } = bench.host.arch;
  const { address } = bench.function;
  const insn = bench.bytes(address, probing.maxInsnLength);
  const breakpoint = probing.breakpoint(probing.insnLength(insn, 0));
  return { address, original: insn.slice(0, breakpoint.length), breakpoint };
}

export const textChecks: readonly CheckSpec[] = [
  {
    name: 'text: a patch reads back and can be taken back',
    contract: 'HostText.patch',
    remedy: 'write through a writable view of the text, and give readKernel the same bytes that CPUs execute',
    skip: noText,
    run(bench) {
      const { address, original, breakpoint } = breakpointPair(bench);
      must(bench.text.patch(address, original, breakpoint), `patch at ${bench.function.name} gives false`);
      const found = bench.bytes(address, breakpoint.length);
      const back = bench.text.patch(address, breakpoint, original);
      must(same(found, breakpoint), () => `${toHex(found)} stands where ${toHex(breakpoint)} was put`);
      must(back, 'the patch cannot be taken back');
      must(same(bench.bytes(address, original.length), original), 'the original bytes did not come back');
    },
  },
  {
    name: 'text: a patch that expects other bytes is refused and writes nothing',
    contract: 'HostText.patch: compare and write',
    remedy: 'compare all bytes with `expected` before one is written; lengths that differ are a mismatch',
    needs: ['text: a patch reads back and can be taken back'],
    skip: noText,
    run(bench) {
      const { address, original, breakpoint } = breakpointPair(bench);
      const wrong = Uint8Array.from(original, (byte) => byte ^ 0x55);
      const done = bench.text.patch(address, wrong, breakpoint);
      const found = bench.bytes(address, original.length);
      if (!same(found, original)) bench.text.patch(address, found, original);
      must(!done, `patch succeeds where ${toHex(original)} stands and ${toHex(wrong)} is expected`);
      must(same(found, original), 'a refused patch changed the text');
      const longer = bench.text.patch(address, original, new Uint8Array(original.length + 1));
      must(!longer, 'patch replaces bytes by more bytes than it expects');
    },
  },
  {
    name: 'text: what is not text cannot be patched',
    contract: 'HostText.patch: false where the address is not text',
    remedy: 'take addresses of kernel text and of memory that allocExec gave out, no others',
    skip: noText,
    run(bench) {
      const { scratch, unmapped } = bench.facts;
      const data = bench.bytes(scratch.address, 1);
      must(!bench.text.patch(scratch.address, data, data), `data at ${hex64(scratch.address)} can be patched`);
      const absent = Uint8Array.of(0);
      must(!bench.text.patch(unmapped, absent, absent), `absent memory at ${hex64(unmapped)} can be patched`);
    },
  },
  {
    name: 'text: executable memory is aligned and pieces are disjoint',
    contract: 'HostText.allocExec',
    remedy: `give out pieces that begin at multiples of ${ALIGNMENT} and overlap neither each other nor anything else`,
    skip: noText,
    run(bench) {
      const pieces = BLOCKS.map((size) => ({ size, address: bench.text.allocExec(size) }));
      const given = pieces.flatMap(({ size, address }) => (address === null ? [] : [{ size, address }]));
      try {
        must(given.length === pieces.length, `allocExec gave null for ${BLOCKS[given.length]} bytes`);
        for (const { address } of given) {
          must(address % ALIGNMENT === 0n, `a piece begins at ${hex64(address)}`);
        }
        requireDisjoint(given);
      } finally {
        for (const { address, size } of given) bench.text.freeExec(address, size);
      }
    },
  },
  {
    name: 'text: executable memory can be written by patch',
    contract: 'HostText.allocExec, patch',
    remedy: 'accept the addresses of pieces that were given out; they are text',
    skip: noText,
    run(bench) {
      const size = 64;
      const address = bench.text.allocExec(size);
      must(address !== null, `allocExec(${size}) gives null`);
      try {
        const bytes = Uint8Array.from({ length: size }, (_, i) => i ^ 0x5a);
        must(
          bench.text.patch(address, bench.bytes(address, size), bytes),
          `a piece at ${hex64(address)} cannot be patched`,
        );
        must(same(bench.bytes(address, size), bytes), 'what patch wrote to executable memory does not read back');
      } finally {
        bench.text.freeExec(address, size);
      }
    },
  },
  {
    name: 'text: executable memory that was freed is given out again',
    contract: 'HostText.freeExec',
    remedy: 'keep book of free pieces; probes come and go all the time',
    skip: noText,
    run(bench) {
      for (let i = 0; i < ROUNDS; i++) {
        const address = bench.text.allocExec(PAGE);
        must(address !== null, `allocExec(${PAGE}) gives null after ${i} pages were given out and freed`);
        bench.text.freeExec(address, PAGE);
      }
    },
  },
  {
    name: 'text: the return trampoline is a breakpoint',
    contract: 'HostText.returnTrampoline',
    remedy: 'reserve an instruction of your own text for it that is a breakpoint and that nothing else runs into',
    skip: noReturns,
    run(bench) {
      const address = bench.text.returnTrampoline as bigint;
      const { probing } = bench.host.arch;
      const { ok, bytes } = bench.read(address, probing.breakpoint(probing.maxInsnLength).length);
      must(ok, `nothing is mapped at the trampoline's address ${hex64(address)}`);
      must(probing.isBreakpoint(bytes), () => `${toHex(bytes)} stands at ${hex64(address)}, which is no breakpoint`);
    },
  },
  {
    name: 'text: probes are refused where they would end the machine, and only there',
    contract: 'HostText.blacklisted',
    remedy: 'answer a reason for the trap path, the trampoline and executable memory, null for ordinary functions',
    skip: noText,
    run(bench) {
      const { text, facts } = bench;
      const why = text.blacklisted(bench.function.address);
      must(why === null, `${facts.function} is refused: ${String(why)}`);
      if (text.returnTrampoline === null) return;
      const reason = text.blacklisted(text.returnTrampoline);
      must(reason !== null && reason !== '', 'the return trampoline may be probed');
    },
  },
];

function requireDisjoint(pieces: readonly { address: bigint; size: number }[]): void {
  const sorted = pieces.toSorted((a, b) => (a.address < b.address ? -1 : 1));
  for (const [i, { address, size }] of sorted.entries()) {
    const next = sorted[i + 1];
    must(
      next === undefined || address + BigInt(size) <= next.address,
      () => `a piece of ${size} bytes at ${hex64(address)} overlaps one at ${hex64(next?.address ?? 0n)}`,
    );
  }
}
