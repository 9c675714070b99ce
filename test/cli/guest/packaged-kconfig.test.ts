import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packagedKconfig } from '../../../src/cli/guest/packaged-kconfig.js';

describe("the configuration in a kernel's package", () => {
  let boot: string;
  beforeAll(() => {
    boot = mkdtempSync(join(tmpdir(), 'kscope-boot-'));
    writeFileSync(join(boot, 'config-6.1.0-50-cloud-amd64'), 'CONFIG_HZ=250\n');
  });
  afterAll(() => rmSync(boot, { recursive: true }));

  it.each([
    ['vmlinuz-6.1.0-50-cloud-amd64', 'CONFIG_HZ=250\n'],
    ['vmlinux-6.1.0-50-cloud-amd64', 'CONFIG_HZ=250\n'],
    ['vmlinuz-6.1.0-51-cloud-amd64', undefined],
    ['bzImage', undefined],
  ])('is the file of the release beside the kernel: %s', (kernel, config) => {
    expect(packagedKconfig(join(boot, kernel))).toBe(config);
  });
});
