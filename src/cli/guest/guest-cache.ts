import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { GuestName } from './guest-arch.js';

/** What a guest is booted from, as fetched. Paths are absolute. */
export interface GuestFiles {
  readonly guest: GuestName;
  /** Package the kernel came in, which names its release. */
  readonly kernelPackage: string;
  readonly kernel: string;
  /** busybox, static, for the guest's own processor. */
  readonly busybox: string;
}

/** `$KSCOPE_GUEST_CACHE`, or ~/.cache/kscope/guest. */
export function guestCacheFolder(): string {
  return process.env['KSCOPE_GUEST_CACHE'] ?? join(homedir(), '.cache', 'kscope', 'guest');
}

/** What was fetched for a guest before, if all of it is still there. */
export function cachedGuest(guest: GuestName): GuestFiles | undefined {
  const record = recordOf(guest);
  if (!existsSync(record)) return undefined;
  try {
    const files = JSON.parse(readFileSync(record, 'utf8')) as GuestFiles;
    return existsSync(files.kernel) && existsSync(files.busybox) ? files : undefined;
  } catch {
    // A record nobody can read is as good as none: the guest is fetched anew.
    return undefined;
  }
}

export function rememberGuest(files: GuestFiles): void {
  const record = recordOf(files.guest);
  mkdirSync(join(record, '..'), { recursive: true });
  const scratch = `${record}.${process.pid}`;
  writeFileSync(scratch, `${JSON.stringify(files, null, 2)}\n`);
  renameSync(scratch, record);
}

function recordOf(guest: GuestName): string {
  return join(guestCacheFolder(), guest, 'files.json');
}
