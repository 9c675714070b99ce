import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './v86/state-file.js';

/** What a test boots: Debian's kernel, and an initramfs whose /init is test/guest/init. */
export interface GuestImage {
  readonly kernel: string;
  /** Uncompressed cpio archive. */
  readonly initrd: string;
  readonly kernelPackage: string;
}

/** Where what tests have built for guests is kept. */
export const builtFolder = join(packageRoot, '.cache/guest/');

/** Writes down what a guest is booted from, for who comes later and builds nothing. */
export function rememberImage(guest: string, image: GuestImage): void {
  writeFileSync(recordOf(guest), JSON.stringify(image));
}

/** What tests have booted last, or null. */
export function rememberedImage(guest: string): GuestImage | null {
  if (!existsSync(recordOf(guest))) return null;
  const image = JSON.parse(readFileSync(recordOf(guest), 'utf8')) as GuestImage;
  return existsSync(image.kernel) && existsSync(image.initrd) ? image : null;
}

function recordOf(guest: string): string {
  return join(builtFolder, `image-${guest}.json`);
}
