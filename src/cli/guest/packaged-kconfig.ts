import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The configuration that a distribution's package has beside a kernel: /boot/config-RELEASE for vmlinuz-RELEASE. */
export function packagedKconfig(kernel: string): string | undefined {
  const release = /^vmlinu[xz]-(.+)$/.exec(basename(kernel))?.[1];
  if (release === undefined) return undefined;
  const path = join(dirname(kernel), `config-${release}`);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
