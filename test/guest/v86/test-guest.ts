import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { bootV86, restoreV86, type V86Host, type V86Parts } from '../../../src/host/v86/index.js';
import { loadV86Parts } from '../../../src/host/v86/node/index.js';
import { READY, statePath, type TestGuest } from './guest-files.js';

export { testGuest, type TestGuest } from './guest-files.js';

/** Boots it anew. */
export async function bootTestGuest(guest: TestGuest): Promise<V86Host> {
  return bootV86(await loadV86Parts(), guest, { ready: READY });
}

/** It, as it was saved right after it was ready; booted and saved first where that has not been done yet. */
export async function savedTestGuest(
  guest: TestGuest,
): Promise<{ readonly parts: V86Parts; readonly saved: Uint8Array }> {
  const parts = await loadV86Parts();
  const path = statePath(guest);
  if (existsSync(path)) return { parts, saved: readFileSync(path) };
  const host = await bootTestGuest(guest);
  const saved = await keepState(guest, host);
  host.close();
  return { parts, saved };
}

/** Saves a guest that is ready for the tests that begin with one. */
export async function keepState(guest: TestGuest, host: V86Host): Promise<Uint8Array> {
  const saved = await host.save();
  const path = statePath(guest);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, saved);
  renameSync(`${path}.${process.pid}`, path);
  return saved;
}

/** A guest that has just become ready. */
export async function restoreTestGuest(guest: TestGuest): Promise<V86Host> {
  const { parts, saved } = await savedTestGuest(guest);
  return restoreV86(parts, saved);
}
