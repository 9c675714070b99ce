import { beforeAll, describe, expect, it } from 'vitest';
import { decodeInsn } from '../../../src/arch/index.js';
import { hi32, lo32 } from '../../../src/base/index.js';
import { createSim, type SimHost } from '../../../src/host/sim/index.js';

const OPTIONS = { workload: 'shell', seed: 3 } as const;
const NOP5 = Uint8Array.of(0x0f, 0x1f, 0x44, 0x00, 0x00);
/** Every so-manieth place is tried: all of them take minutes. */
const STRIDE = 23;

interface Place {
  readonly name: string;
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly patched: Uint8Array;
}

let plain: SimHost;
let places: Place[];

/** The calls, taken out, and the conditional branches, inverted, that the workload comes by. */
function findPlaces(): Place[] {
  const executed = new Set<number>();
  const host = createSim(OPTIONS);
  host.traceInstructions((_cpu, lo) => executed.add(lo));
  host.run();
  return [...host.symbols].flatMap(({ name, address, size, type }) => {
    const text = new Uint8Array(Number(size));
    if (!/^[tT]$/.test(type) || !host.memory.readKernel(lo32(address), hi32(address), text, 0, text.length)) return [];
    const found: Place[] = [];
    for (let at = 0, insn = decodeInsn(text, 0); insn !== null && at < text.length; insn = decodeInsn(text, at)) {
      const bytes = text.slice(at, at + insn.length);
      const patched = patchOf(bytes);
      const here = address + BigInt(at);
      if (patched !== null && executed.has(lo32(here))) {
        found.push({ name: `${name}+${at}`, address: here, bytes, patched });
      }
      at += insn.length;
    }
    return found;
  });
}

function patchOf(bytes: Uint8Array): Uint8Array | null {
  const [first, second] = bytes;
  if (first === 0xe8) return NOP5;
  if (first >= 0x70 && first < 0x80) return Uint8Array.from(bytes, (byte, i) => (i === 0 ? byte ^ 1 : byte));
  if (first !== 0x0f || second < 0x80 || second >= 0x90) return null;
  return Uint8Array.from(bytes, (byte, i) => (i === 1 ? byte ^ 1 : byte));
}

function runPatched({ address, bytes, patched }: Place): SimHost {
  const host = createSim(OPTIONS);
  expect(host.text.patch(address, bytes, patched)).toBe(true);
  host.run({ instructions: 2_000_000 });
  return host;
}

beforeAll(() => {
  plain = createSim(OPTIONS);
  expect(plain.run()).toBe('finished');
  places = findPlaces();
});

describe('the text is what the machine runs', () => {
  it('does something else wherever a call is taken out or a branch inverted', () => {
    const journal = plain.journal.bytes();
    const tried = places.filter((_, i) => i % STRIDE === 0);
    expect(tried.length).toBeGreaterThan(50);
    const unnoticed = tried.filter((place) => {
      const host = runPatched(place);
      return host.console === plain.console && Buffer.compare(host.journal.bytes(), journal) === 0;
    });
    expect(unnoticed.map(({ name }) => name)).toEqual([]);
  });

  it('gives up where the text makes it ask the disk for what no disk has', () => {
    const reasons = places
      .filter(({ name, bytes }) => name.startsWith('get_zeroed_page+') && bytes[0] === 0xe8)
      .map((place) => runPatched(place).oops?.reason);
    expect(reasons.some((reason) => reason?.startsWith('disk request of 4096 bytes at sector'))).toBe(true);
  });
});
