import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bannerVersion, findBanner, findKconfig, openKernelImage } from '../../../src/host/guest/index.js';
import { buildElf } from '../../support/kernel-image-builder.js';

const DEBIAN =
  'Linux version 6.1.0-50-cloud-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, ' +
  'GNU ld (GNU Binutils for Debian) 2.40) #1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-07-02)';
const UBUNTU =
  'Linux version 5.15.0-91-generic (buildd@bos03) (gcc (Ubuntu 11.4.0-1ubuntu1~22.04) 11.4.0, GNU ld (GNU Binutils ' +
  'for Ubuntu) 2.38) #101-Ubuntu SMP Tue Nov 14 13:30:08 UTC 2023 (Ubuntu 5.15.0-91.101-generic 5.15.131)';
const PLAIN =
  'Linux version 4.9.337 (me@here) (gcc version 6.3.0 (Debian 6.3.0-18)) #3 SMP Mon Jan 1 00:00:00 UTC 2024';

const ascii = new TextEncoder();
const gzip = (bytes: Uint8Array): Uint8Array => new Uint8Array(gunzipSync(bytes));

/** Bytes around text, as they are in a kernel's data. */
function around(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [0x4c, ...(typeof part === 'string' ? ascii.encode(part) : part), 0]));
}

function carried(config: string): Uint8Array {
  return Uint8Array.from([...ascii.encode('IKCFG_ST'), ...gzipSync(config), ...ascii.encode('IKCFG_ED')]);
}

describe('what a kernel says of itself', () => {
  it.each([
    ['as it is built', `${PLAIN}\n`, PLAIN],
    ['behind formats and what is cut off', `Linux version %s (%s)\0Linux version 6.1\0${DEBIAN}\n`, DEBIAN],
    ['at the end of what was read', UBUNTU, UBUNTU],
  ])('is found %s', (_, text, banner) => expect(findBanner(around('IKCFG', text))).toBe(banner));

  it.each([
    ['', 'no text'],
    ['Linux versio', 'its beginning'],
    ['Linux version one (a) (b) #1', 'no number'],
    ['Linux version 6.1.0', 'nothing of who built it'],
  ])('is not %j: %s', (text) => expect(findBanner(ascii.encode(text))).toBeNull());

  it.each([
    [DEBIAN, [6, 1, 176]],
    [UBUNTU, [5, 15, 131]],
    // Patch levels end at 255 in LINUX_VERSION_CODE.
    [PLAIN, [4, 9, 255]],
    ['Linux version 6.18.0-rc3-00012-gabcdef (a@b) (clang) #1 SMP', [6, 18, 0]],
  ])('%s', (banner, [major, minor, patch]) => {
    expect(bannerVersion(banner)).toBe(major * 65536 + minor * 256 + patch);
  });

  it('has no version where a release has no three numbers', () => {
    expect(bannerVersion('Linux version 6.18-custom (a@b) (clang) #1 SMP')).toBeUndefined();
  });
});

describe('the configuration that a kernel carries', () => {
  it('is unpacked, behind what only looks like one', () => {
    const config = 'CONFIG_HZ=250\n';
    const fake = Uint8Array.from([...ascii.encode('IKCFG_ST'), 0x1f, 0x8b, ...ascii.encode('IKCFG_ED')]);
    expect(findKconfig(around('IKCFG_ST', fake, carried(config)), { gzip })).toBe(config);
  });

  it.each<[what: string, bytes: Uint8Array, unpackers: Parameters<typeof findKconfig>[1]]>([
    ['there is none', around('CONFIG_HZ=250'), { gzip }],
    ['its end is missing', carried('CONFIG_HZ=250').subarray(0, -1), { gzip }],
    ['nobody unpacks gzip', carried('CONFIG_HZ=250'), {}],
  ])('is null where %s', (_, bytes, unpackers) => expect(findKconfig(bytes, unpackers)).toBeNull());

  it('is that of an image, as the banner is', () => {
    const { file } = buildElf([{ gap: 0, bytes: around(DEBIAN, carried('CONFIG_SMP=y\n')) }], true);
    const { banner, version, kconfig } = openKernelImage(file, { gzip });
    expect({ banner, version, kconfig }).toEqual({ banner: DEBIAN, version: 0x601b0, kconfig: 'CONFIG_SMP=y\n' });
    const bare = openKernelImage(buildElf([{ gap: 0, bytes: new Uint8Array(64) }], true).file);
    expect([bare.banner, bare.version, bare.kconfig]).toEqual([null, undefined, null]);
  });
});
