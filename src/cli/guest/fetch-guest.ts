import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BpfError } from '../../base/index.js';
import { AptArchive, debianMirror } from './apt-archive.js';
import type { GuestArch } from './guest-arch.js';
import { cachedGuest, guestCacheFolder, type GuestFiles, rememberGuest } from './guest-cache.js';
import { runTool } from './run-tool.js';
import type { StepReporter } from './steps.js';

export interface FetchOptions {
  readonly steps: StepReporter;
  readonly signal?: AbortSignal;
  /** Asks the archive even if the cache has a kernel. */
  readonly refresh?: boolean;
}

/** A guest's kernel and busybox, from the cache or from Debian's archive. */
export async function fetchGuest(guest: GuestArch, { steps, signal, refresh }: FetchOptions): Promise<GuestFiles> {
  const cached = refresh === true ? undefined : cachedGuest(guest.name);
  if (cached !== undefined) {
    steps.done(`kernel ${cached.kernelPackage} is in the cache`);
    return cached;
  }
  const home = join(guestCacheFolder(), guest.name);
  const mirror = await debianMirror();
  const archive = new AptArchive(guest, join(home, 'apt'), mirror, signal);
  await steps.run(`package lists of ${archive.name}`, (progress) => archive.update(progress));
  const kernelPackage = await newestKernel(archive, guest);
  const kernelFolder = await fetchPackage(archive, kernelPackage, ['./boot'], home, steps, signal);
  const boot = join(kernelFolder, 'boot');
  const kernel = readdirSync(boot).find((name) => /^vmlinu[xz]-/.test(name));
  if (kernel === undefined) throw missing('/boot/vmlinuz', kernelPackage);
  // Debian merges /bin into /usr/bin; which of them a package still names depends on its release.
  const busyboxFolder = await fetchPackage(archive, 'busybox-static', ['./bin', './usr/bin'], home, steps, signal);
  const busybox = ['bin', 'usr/bin']
    .map((each) => join(busyboxFolder, each, 'busybox'))
    .find((path) => existsSync(path));
  if (busybox === undefined) throw missing('busybox', 'busybox-static');
  const files = { guest: guest.name, kernelPackage, kernel: join(boot, kernel), busybox };
  rememberGuest(files);
  return files;
}

/** The meta package depends on the kernel's own, whose name carries the release. */
async function newestKernel(archive: AptArchive, { metaPackage }: GuestArch): Promise<string> {
  const kernel = (await archive.dependencies(metaPackage)).find((name) => /^linux-image-\d/.test(name));
  if (kernel !== undefined) return kernel;
  throw new BpfError('ENOENT', `${metaPackage} of ${archive.name} names no kernel`, {
    remedy: 'is that release still in the archive?',
  });
}

/** Downloads a package and unpacks the folders named; where to. Its files appear at once, or not at all. */
export async function fetchPackage(
  archive: AptArchive,
  name: string,
  folders: readonly string[],
  home: string,
  steps: StepReporter,
  signal?: AbortSignal,
): Promise<string> {
  const target = join(home, name);
  const deb = await steps.run(`download ${name}`, (progress) => archive.download(name, progress));
  await steps.run(`unpack ${name}`, async () => {
    mkdirSync(home, { recursive: true });
    const scratch = mkdtempSync(join(home, '.unpack-'));
    const tar = join(scratch, 'data.tar');
    try {
      // --fsys-tarfile writes to stdout: a kernel's modules would not fit a string.
      await runTool('sh', ['-c', 'exec dpkg-deb --fsys-tarfile "$1" > "$2"', 'sh', deb, tar], signalOf(signal));
      const there = await existingFolders(tar, folders, signal);
      await runTool('tar', ['-x', '-f', tar, '-C', scratch, ...there], signalOf(signal));
      rmSync(tar);
      rmSync(target, { recursive: true, force: true });
      renameSync(scratch, target);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
      rmSync(deb, { force: true });
    }
  });
  return target;
}

async function existingFolders(
  tar: string,
  wanted: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const listed = (await runTool('tar', ['-t', '-f', tar], signalOf(signal))).split('\n');
  return wanted.filter((folder) => listed.some((line) => line.startsWith(`${folder}/`)));
}

function signalOf(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function missing(what: string, name: string): BpfError {
  return new BpfError('ENOENT', `there is no ${what} in ${name}`, {
    remedy: 'please report this: the package has changed',
  });
}
