import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BpfError } from '../../base/index.js';
import type { GuestName } from './guest-arch.js';
import { guestCacheFolder } from './guest-cache.js';
import type { GuestState } from './guest-machine.js';

/** The guest of that name that is up, or undefined. A state whose QEMU is gone is none. */
export function guestState(guest: GuestName): GuestState | undefined {
  const path = stateFile(guest);
  if (!existsSync(path)) return undefined;
  const state = parseState(readFileSync(path, 'utf8'), path);
  return isRunning(state.pid) ? state : undefined;
}

export function writeGuestState(state: GuestState): void {
  const path = stateFile(state.guest);
  mkdirSync(join(path, '..'), { recursive: true });
  const scratch = `${path}.${process.pid}`;
  writeFileSync(scratch, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(scratch, path);
}

export function removeGuestState(guest: GuestName): void {
  rmSync(stateFile(guest), { force: true });
}

function stateFile(guest: GuestName): string {
  return join(guestCacheFolder(), guest, 'up.json');
}

function parseState(text: string, path: string): GuestState {
  try {
    return JSON.parse(text) as GuestState;
  } catch (error) {
    throw new BpfError('EINVAL', `reading ${path}`, { cause: error, remedy: 'remove the file' });
  }
}

/** Signal 0 asks whether a process is there; one of another user is there as well. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
