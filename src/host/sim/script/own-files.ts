import { BpfError, roundUp } from '../../../base/index.js';
import {
  BLOCK,
  type DiskDirectory,
  type DiskEntry,
  ENTRIES_MAX,
  readDirectory,
  writeDirectory,
} from '../disk-directory.js';
import type { EncodedSimImage } from '../sim-image.js';
import { isElf, programSymbols } from './program-symbols.js';

/** A file that the machine's disk has at boot. */
export type SimFile =
  | string
  | Uint8Array
  | {
      readonly bytes: string | Uint8Array;
      /** Permissions: 0o644 if absent, 0o755 of an ELF file. */
      readonly mode?: number;
    };

const PATH = /^(?:\/[^/\0]+)+$/;
const PATH_MAX = 39;
const FILE_MAX = 2 << 20;
const DISK_BLOCKS = 16_384;
const S_IFREG = 0o100_000;
const S_IFDIR = 0o040_000;
const PERMISSIONS = 0o7777;

/** The disk with files of one's own on it. */
export interface OwnFiles {
  readonly directory: DiskDirectory;
  /** What is written over the image's disk before boot. */
  readonly chunks: readonly { readonly sector: number; readonly bytes: Uint8Array }[];
  /** Symbols of the programs among them. */
  readonly programs: readonly { readonly path: string; readonly symbols: string }[];
}

/**
 * Adds files to what the image has, with the directories that lead to them. ELF files have to be programs that the
 * machine can run. A path that the image has is EEXIST; paths and sizes that do not fit are EINVAL, EFBIG, ENOSPC.
 */
export function addFiles(image: EncodedSimImage, files: Readonly<Record<string, SimFile>>): OwnFiles {
  const { entries: given, free: first } = readDirectory(image);
  const paths = Object.keys(files);
  if (paths.length === 0) return { directory: { entries: given, free: first }, chunks: [], programs: [] };
  const entries = new Map<string, DiskEntry>(given.map((entry) => [entry.path, entry]));
  const chunks: { sector: number; bytes: Uint8Array }[] = [];
  const programs: { path: string; symbols: string }[] = [];
  let free = first;
  for (const path of paths) {
    const { bytes, mode } = contents(files[path], path);
    checkPath(path, entries);
    addParents(path, entries);
    entries.set(path, { path, mode: S_IFREG | mode, size: bytes.length, block: free });
    if (bytes.length > 0) chunks.push({ sector: (free * BLOCK) / 512, bytes: wholeBlocks(bytes) });
    if (isElf(bytes)) programs.push({ path, symbols: programSymbols(bytes, path) });
    free += Math.ceil(bytes.length / BLOCK);
    if (free > DISK_BLOCKS / 2)
      throw new BpfError('ENOSPC', `${path} does not fit the disk`, {
        value: free,
        remedy: 'at most half of its 64 MiB',
      });
  }
  const directory = { entries: [...entries.values()], free };
  return { directory, chunks: [...writeDirectory(directory), ...chunks], programs };
}

function contents(file: SimFile, path: string): { bytes: Uint8Array; mode: number } {
  const given = typeof file === 'string' || file instanceof Uint8Array ? { bytes: file } : file;
  const bytes = typeof given.bytes === 'string' ? new TextEncoder().encode(given.bytes) : given.bytes;
  const mode = given.mode ?? (isElf(bytes) ? 0o755 : 0o644);
  if (!(Number.isInteger(mode) && mode >= 0 && mode <= PERMISSIONS))
    throw new RangeError(`mode ${mode} of ${path}: 0 to 0o7777`);
  if (bytes.length > FILE_MAX)
    throw new BpfError('EFBIG', `${path} is too long`, { value: bytes.length, remedy: `at most ${FILE_MAX} bytes` });
  return { bytes, mode };
}

function checkPath(path: string, entries: ReadonlyMap<string, DiskEntry>): void {
  const isPath = PATH.test(path) && !/\/\.{1,2}(\/|$)/.test(path);
  if (!isPath || new TextEncoder().encode(path).length > PATH_MAX) {
    const remedy = `from /, without . and .., at most ${PATH_MAX} bytes`;
    throw new BpfError('EINVAL', 'no path for a file of the simulated disk', { value: path, remedy });
  }
  if (entries.has(path))
    throw new BpfError('EEXIST', 'the simulated disk has that file', { value: path, remedy: 'give it another path' });
  if (entries.size >= ENTRIES_MAX)
    throw new BpfError('ENOSPC', 'too many files', { value: entries.size, remedy: `at most ${ENTRIES_MAX}` });
}

/** Directories on the way that are not there yet; a file on the way is ENOTDIR. */
function addParents(path: string, entries: Map<string, DiskEntry>): void {
  for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
    const parent = path.slice(0, end);
    const known = entries.get(parent);
    if (known !== undefined && (known.mode & S_IFDIR) === 0)
      throw new BpfError('ENOTDIR', 'a file lies on the way', { value: path, remedy: `${parent} is one` });
    if (known === undefined) entries.set(parent, { path: parent, mode: S_IFDIR | 0o755, size: 0, block: 0 });
  }
}

function wholeBlocks(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(roundUp(bytes.length, BLOCK));
  padded.set(bytes);
  return padded;
}
