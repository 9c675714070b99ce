import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JournalKind, SimHost } from '../../../src/host/sim/index.js';
import { encodedSimImage } from '../../../src/host/sim/image.js';
import { decodeBase64, type EncodedSimImage } from '../../../src/host/sim/sim-image.js';

const RUNS = Number(process.env['KSCOPE_CASES'] ?? 20);
const SECTORS_PER_BLOCK = 8;
const ENTRY = 56;
const HEADER = 16;
const PT_LOAD_AT = 64;
/** Headers, program headers, interpreter and hash table of a position-independent program. */
const MUTATED = 0x240;

interface Mutation {
  readonly at: number;
  readonly value: bigint;
  readonly size: 1 | 2 | 4 | 8;
}

const interesting = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    2n,
    3n,
    6n,
    0xfffn,
    0x1000n,
    0x7fff_ffffn,
    0xffff_ffffn,
    0x7fff_ffff_f000n,
    1n << 47n,
    1n << 63n,
  ),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constant((1n << 64n) - 1n),
);
const size = fc.constantFrom<Mutation['size'][]>(1, 2, 4, 8);
const anywhere = fc
  .tuple(fc.nat(MUTATED - 8), interesting, size)
  .map(([at, value, bytes]) => ({ at, value, size: bytes }));
/** A field of 8 bytes of one of the program headers. */
const segment = fc
  .tuple(fc.nat(6), fc.nat(6), interesting)
  .map(([header, field, value]) => ({ at: PT_LOAD_AT + 56 * header + 8 * field, value, size: 8 as const }));

/** First block of a file, as the disk's first block names it. */
function firstBlock(path: string): number {
  const bytes = decodeBase64(encodedSimImage.disk[0]?.bytes ?? '');
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < view.getUint32(4, true); i++) {
    const at = HEADER + i * ENTRY;
    const name = String.fromCharCode(...bytes.subarray(at, at + 40)).replace(/\0.*$/s, '');
    if (name === path) return view.getUint32(at + 48, true);
  }
  throw new RangeError(`no ${path} on the disk`);
}

function withMutations(path: string, mutations: readonly Mutation[]): EncodedSimImage {
  const sector = firstBlock(path) * SECTORS_PER_BLOCK;
  const disk = encodedSimImage.disk.map((chunk) => {
    if (chunk.sector !== sector) return chunk;
    const bytes = decodeBase64(chunk.bytes);
    for (const mutation of mutations)
      for (let i = 0; i < mutation.size; i++)
        bytes[mutation.at + i] = Number((mutation.value >> BigInt(8 * i)) & 0xffn);
    return { sector, bytes: Buffer.from(bytes).toString('base64') };
  });
  return { ...encodedSimImage, disk };
}

test('a program whose headers are anything at all is run, refused or killed, and the kernel stands', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(anywhere, segment), { minLength: 1, maxLength: 3 }), (mutations) => {
      const host = new SimHost({ script: 'cat /etc/motd\nop getpid' }, withMutations('/bin/cat', mutations));
      const stop = host.run({ instructions: 4_000_000 });
      expect(host.oops).toBeNull();
      // A program may well run in circles.
      expect(['finished', 'instructions']).toContain(stop);
      if (stop !== 'finished') return;
      const ran = [...host.journal.entries(JournalKind.EXEC)].filter(({ text }) => text === '/bin/op');
      expect(ran).toHaveLength(1);
    }),
    { numRuns: RUNS },
  );
});
