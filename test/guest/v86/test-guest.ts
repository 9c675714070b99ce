import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { bootV86, restoreV86, type V86Host, type V86Parts } from '../../../src/host/v86/index.js';
import { loadV86Parts } from '../../../src/host/v86/node/index.js';
import { guestImage } from '../guest-image.js';
import { stateFile } from './state-file.js';

/** What the init of the test guests says when it takes commands. */
export const READY = /KSCOPE-READY/;

/** What a test guest is booted from, and by. */
export interface TestGuest {
  readonly parts: V86Parts;
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
}

/** Debian's i686 kernel with the init of the test guests; throws where one of them cannot be had. */
export async function testGuest(): Promise<TestGuest> {
  const { kernel, initrd } = await guestImage('i686');
  return { parts: await loadV86Parts(), kernel: readFileSync(kernel), initrd: readFileSync(initrd) };
}

/** Boots it anew, and keeps its state for the tests that begin with one. */
export async function bootTestGuest(guest: TestGuest): Promise<V86Host> {
  const host = await bootV86(guest.parts, guest, { ready: READY });
  const path = stateOf(guest);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, await host.save());
  renameSync(`${path}.${process.pid}`, path);
  return host;
}

/** Its state right after it was ready; it is booted where that has not been done yet. */
export async function savedTestGuest(guest: TestGuest): Promise<Uint8Array> {
  const path = stateOf(guest);
  if (!existsSync(path)) (await bootTestGuest(guest)).close();
  return readFileSync(path);
}

/** A guest that has just become ready. */
export async function restoreTestGuest(guest: TestGuest): Promise<V86Host> {
  return restoreV86(guest.parts, await savedTestGuest(guest));
}

function stateOf({ parts, kernel, initrd }: TestGuest): string {
  const hash = createHash('sha256').update(parts.wasm).update(parts.bios).update(kernel).update(initrd);
  return stateFile(hash.digest('hex').slice(0, 12));
}
