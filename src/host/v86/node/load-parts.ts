import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BpfError } from '../../../base/index.js';
import { V86_VERSION, type V86Constructor, type V86Parts } from '../index.js';

/** Where the parts are found. */
export interface V86Places {
  /** Folder of bios.bin and vgabios-stdvga.bin; Debian's package seabios if absent. */
  readonly firmware?: string;
  /** Resolve the package v86 as this file would; this package's own dependencies if absent. */
  readonly from?: string | URL;
}

const FIRMWARE = '/usr/share/seabios';

/**
 * The emulator from the npm package v86, and SeaBIOS from this machine. ENOENT where one of them is missing, EOPNOTSUPP
 * where v86 is of another release.
 */
export async function loadV86Parts({ firmware = FIRMWARE, from = import.meta.url }: V86Places = {}): Promise<V86Parts> {
  const main = findPackage(from);
  const { V86 } = (await import(pathToFileURL(main).href)) as { V86: V86Constructor };
  return {
    V86,
    wasm: readFileSync(join(dirname(main), 'v86.wasm')),
    bios: readFirmware(firmware, 'bios.bin'),
    vgaBios: readFirmware(firmware, 'vgabios-stdvga.bin'),
  };
}

function findPackage(from: string | URL): string {
  const main = resolvePackage(from);
  const manifest = JSON.parse(readFileSync(join(dirname(main), '..', 'package.json'), 'utf8')) as { version: string };
  const [version] = manifest.version.split('+');
  if (version === V86_VERSION) return main;
  throw new BpfError('EOPNOTSUPP', 'loading v86', {
    value: version,
    remedy: `install v86@${V86_VERSION}: kscope uses internals of that release`,
  });
}

function resolvePackage(from: string | URL): string {
  try {
    return createRequire(from).resolve('v86');
  } catch (cause) {
    throw new BpfError('ENOENT', 'loading v86', { cause, remedy: `install v86@${V86_VERSION} beside kscope` });
  }
}

function readFirmware(folder: string, name: string): Uint8Array {
  const path = join(folder, name);
  if (existsSync(path)) return readFileSync(path);
  throw new BpfError('ENOENT', 'loading the firmware of v86', {
    value: path,
    remedy: 'install SeaBIOS (package seabios), or name the folder it is in',
  });
}
