import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BpfError } from '../../base/index.js';
import { bootV86, restoreV86, type V86Host, type V86Parts } from '../../host/v86/index.js';
import { loadV86Parts } from '../../host/v86/node/index.js';
import { fetchGuest } from '../guest/fetch-guest.js';
import { guestArch } from '../guest/guest-arch.js';
import { guestCacheFolder, type GuestFiles } from '../guest/guest-cache.js';
import { guestInitramfs, READY_LINE } from '../guest/guest-initramfs.js';
import { packagedKconfig } from '../guest/packaged-kconfig.js';
import { stepsOf } from '../guest/steps.js';
import type { CliIo } from '../io.js';
import type { OpenedHost } from './opened-host.js';

const SLICE = 20_000_000n;

/** Debian's i686 kernel in v86: booted once, afterwards taken from where that left it. */
export async function openV86(io: CliIo): Promise<OpenedHost> {
  const steps = stepsOf(io);
  const parts = await loadV86Parts();
  const files = await fetchGuest(guestArch('i686'), { steps, signal: io.signal });
  const initrd = readFileSync(guestInitramfs(files));
  const state = stateFile(files, initrd);
  const host = existsSync(state)
    ? await steps.run('restore the saved guest', () => restoreV86(parts, new Uint8Array(readFileSync(state))))
    : await steps.run(`boot ${files.kernelPackage} in v86`, () => bootAndSave(parts, files, initrd, state, io.signal));
  host.kconfig = packagedKconfig(files.kernel);
  return { host, sim: null, slice: SLICE, close: () => host.close() };
}

async function bootAndSave(
  parts: V86Parts,
  files: GuestFiles,
  initrd: Uint8Array,
  state: string,
  signal: AbortSignal,
): Promise<V86Host> {
  const host = await bootV86(
    parts,
    { kernel: new Uint8Array(readFileSync(files.kernel)), initrd: new Uint8Array(initrd) },
    { ready: new RegExp(READY_LINE), breathe: () => turn(signal) },
  );
  for (const old of readdirSync(join(state, '..'))) {
    if (/^v86-.*\.state$/.test(old)) rmSync(join(state, '..', old));
  }
  const scratch = `${state}.${process.pid}`;
  writeFileSync(scratch, await host.save());
  renameSync(scratch, state);
  return host;
}

/** A state is of one kernel with one initramfs. */
function stateFile({ kernelPackage }: GuestFiles, initrd: Uint8Array): string {
  const hash = createHash('sha256').update(kernelPackage).update(initrd).digest('hex').slice(0, 12);
  return join(guestCacheFolder(), 'i686', `v86-${hash}.state`);
}

async function turn(signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new BpfError('EINTR', 'booting the guest was interrupted');
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}
