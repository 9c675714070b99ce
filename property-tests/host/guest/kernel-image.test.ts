import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfError } from '../../../src/base/index.js';
import {
  bannerVersion,
  findBanner,
  findBtf,
  findKconfig,
  openKernelImage,
  unpackLz4Legacy,
} from '../../../src/host/guest/index.js';
import { buildBzImage, buildElf, packLz4Legacy } from '../../../test/support/kernel-image-builder.js';

const RUNS = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 100);

const repetitive = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.nat(255), fc.nat(900)).map(([b, n]) => new Uint8Array(n).fill(b)),
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

const segment = fc.record({ gap: fc.nat({ max: 3 }), bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }) });

describe('lz4 payloads', () => {
  it('unpack to what was packed, in any number of blocks', () => {
    fc.assert(
      fc.property(fc.array(repetitive, { maxLength: 3 }), (blocks) => {
        const whole = Uint8Array.from(blocks.flatMap((block) => [...block]));
        expect(unpackLz4Legacy(packLz4Legacy(blocks))).toEqual(whole);
      }),
      { numRuns: RUNS },
    );
  });

  it('of any bytes unpack or are an EINVAL', () => {
    fc.assert(
      fc.property(repetitive, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), (data, damage) => {
        const packed = packLz4Legacy([data]);
        for (const [at, value] of damage) packed[at % packed.length] = value;
        expectOpenedOr(() => unpackLz4Legacy(packed), ['EINVAL']);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('kernel images', () => {
  it('are their segments by physical address, however they are packed', () => {
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        fc.constantFrom('elf', 'lz4', 'gzip'),
        (parts, wide, packing) => {
          const { file, memory } = buildElf(parts, wide);
          const boot =
            packing === 'elf'
              ? file
              : buildBzImage(packing === 'lz4' ? packLz4Legacy([file]) : gzipSync(file), file.length);
          const image = openKernelImage(boot, { gzip: (bytes) => new Uint8Array(gunzipSync(bytes)) });
          expect(image.arch).toBe(wide ? 'x86_64' : 'i386');
          expect(image.bytes).toEqual(memory);
          expect(image.linkBase).toBe(wide ? 0xffff_ffff_8100_0000n : 0xc100_0000n);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('of any bytes open or are a BpfError that says why not', () => {
    const file = buildBzImage(packLz4Legacy([buildElf([{ gap: 0, bytes: new Uint8Array(300) }], true).file]), 999);
    const elf = buildElf([{ gap: 1, bytes: new Uint8Array(300) }], false).file;
    fc.assert(
      fc.property(
        fc.constantFrom(file, elf, new Uint8Array(64)),
        fc.array(fc.tuple(fc.oneof(fc.nat({ max: 0x260 }), fc.nat()), fc.nat(255)), { maxLength: 8 }),
        fc.nat({ max: 3 }),
        (whole, damage, cut) => {
          const bytes = whole.slice(0, cut === 0 ? Math.floor(whole.length / 2) : whole.length);
          for (const [at, value] of damage) bytes[at % bytes.length] = value;
          expectOpenedOr(() => openKernelImage(bytes), ['EINVAL', 'EOPNOTSUPP']);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('of any bytes tell their version and configuration, or nothing', () => {
    const noise = fc.oneof(
      fc.constantFrom('Linux version 6.1.2 (a) (b) #1 SMP\n', 'Linux version ', 'IKCFG_ST\u001f', 'IKCFG_ED'),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    const unpackers = { gzip: (bytes: Uint8Array) => new Uint8Array(gunzipSync(bytes)) };
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 12 }), (parts) => {
        const bytes = new TextEncoder().encode(parts.join(''));
        const banner = findBanner(bytes);
        if (banner !== null) expect([undefined, 0x60102]).toContain(bannerVersion(banner));
        expect(findKconfig(bytes, unpackers)).toBeNull();
      }),
      { numRuns: RUNS },
    );
  });

  it('without types say so: BTF of anything else is not taken for the kernel', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(255), { maxLength: 30 }), (noise, rest) => {
        expect(findBtf(Uint8Array.from([...noise, 0x9f, 0xeb, 1, 0, 24, 0, 0, 0, ...rest]))).toBeNull();
      }),
      { numRuns: RUNS },
    );
  });
});

function expectOpenedOr(open: () => unknown, codes: readonly string[]): void {
  try {
    open();
  } catch (error) {
    expect(error).toBeInstanceOf(BpfError);
    expect(codes).toContain((error as BpfError).code);
  }
}
