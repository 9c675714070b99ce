import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Finding } from '../commands/doctor.js';
import { GUEST_NAMES, type GuestName } from './guest-arch.js';
import { cachedGuest, guestCacheFolder } from './guest-cache.js';
import { guestState } from './guest-state.js';

const EMULATORS: Readonly<Record<string, string>> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-system-aarch64': 'qemu-system-arm',
  'qemu-system-riscv64': 'qemu-system-misc',
};

/** What guests need. None of it is needed by the simulator, so that nothing here is a failure. */
export function guestFindings(): Finding[] {
  const emulators = Object.entries(EMULATORS).map(([program, name]) => emulator(program, name));
  return [
    ...emulators,
    apt(),
    ...GUEST_NAMES.map(kernel),
    peer('koffi', 'guest RAM is mapped', 'guest RAM is read by system calls'),
    peer('v86', 'host v86:i686', 'no host v86:i686'),
  ];
}

function emulator(program: string, packageName: string): Finding {
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const version = status === 0 ? /version (\S+)/.exec(stdout)?.[1] : undefined;
  return { what: program, ok: true, detail: version ?? `not installed (Debian: ${packageName})` };
}

function apt(): Finding {
  const there = spawnSync('apt-get', ['--version']).status === 0 && spawnSync('dpkg-deb', ['--version']).status === 0;
  return {
    what: 'apt',
    ok: true,
    detail: there ? 'guest up can fetch kernels' : 'not here: guest up cannot fetch kernels',
  };
}

function kernel(guest: GuestName): Finding {
  const files = cachedGuest(guest);
  const detail =
    files === undefined ? `not in ${guestCacheFolder()}: kscope guest up ${guest} fetches it` : files.kernelPackage;
  return { what: `guest ${guest}`, ok: true, detail: `${detail}${isUp(guest) ? ', is up' : ''}` };
}

/** A state file nobody can read is no reason for doctor to fail. */
function isUp(guest: GuestName): boolean {
  try {
    return guestState(guest) !== undefined;
  } catch {
    return false;
  }
}

function peer(name: string, there: string, absent: string): Finding {
  const version = versionOf(name);
  const detail = version === undefined ? `not installed: ${absent}` : `${version}: ${there}`;
  return { what: name, ok: true, detail };
}

/** A package's manifest lies somewhere above its main file; not every package lets it be imported. */
function versionOf(name: string): string | undefined {
  try {
    for (let at = createRequire(import.meta.url).resolve(name); dirname(at) !== at; at = dirname(at)) {
      const manifest = join(dirname(at), 'package.json');
      if (!existsSync(manifest)) continue;
      const found = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string; version?: string };
      if (found.name === name) return found.version;
    }
  } catch {
    // Not installed, or not readable: either way it is of no use.
  }
  return undefined;
}
