import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpioArchive, type CpioEntry } from '../../src/cli/guest/cpio-archive.js';
import { fetchGuest } from '../../src/cli/guest/fetch-guest.js';
import { guestArch, type GuestName } from '../../src/cli/guest/guest-arch.js';
import { StepReporter } from '../../src/cli/guest/steps.js';
import { builtFolder, type GuestImage, rememberImage } from './built-image.js';

const here = fileURLToPath(new URL('.', import.meta.url));

/**
 * Kernel and initramfs of a guest. The kernel is fetched by the product's own code if the cache lacks it; whatever fails
 * on the way is thrown, so that a lane without network fails instead of passing by.
 */
export async function guestImage(guest: GuestName, extra: readonly CpioEntry[] = []): Promise<GuestImage> {
  const steps = new StepReporter((line) => console.warn(`${guest}: ${line}`));
  const { kernel, kernelPackage } = await fetchGuest(guestArch(guest), { steps });
  const archive = cpioArchive([...testFiles(readFileSync(buildInit(guest))), ...extra]);
  const initrd = join(builtFolder, `initrd-${guest}-${hashOf([archive])}.cpio`);
  if (!existsSync(initrd)) appear(initrd, (path) => writeFileSync(path, archive));
  const image = { kernel, initrd, kernelPackage };
  if (extra.length === 0) rememberImage(guest, image);
  return image;
}

function testFiles(init: Uint8Array): CpioEntry[] {
  return [
    ...['dev', 'proc', 'sys'].map((name) => ({ kind: 'folder' as const, name })),
    { kind: 'device', name: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', name: 'init', data: init, executable: true },
    { kind: 'file', name: 'counted', data: new TextEncoder().encode('counted by kscope\n') },
  ];
}

/** The init of that guest as a static program, compiled once per content. */
export function buildInit(guest: GuestName): string {
  const folder = join(here, 'init');
  const sources = readdirSync(folder).filter((name) => !name.endsWith('.md'));
  const path = join(builtFolder, `init-${guest}-${hashOf(sources.map((name) => readFileSync(join(folder, name))))}`);
  if (existsSync(path)) return path;
  return appear(path, (scratch) => {
    const arch = guest === 'i686' ? 'i386' : guest;
    const { status, stderr, error } = spawnSync('bash', [join(folder, 'build.sh'), arch, scratch], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the init of ${guest} did not build: ${error?.message ?? stderr}`);
  });
}

/** Tests run in several processes: a file appears by rename. */
function appear(path: string, write: (scratch: string) => void): string {
  mkdirSync(builtFolder, { recursive: true });
  const scratch = `${path}.${process.pid}`;
  write(scratch);
  renameSync(scratch, path);
  return path;
}

function hashOf(contents: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const bytes of contents) hash.update(bytes);
  return hash.digest('hex').slice(0, 12);
}
