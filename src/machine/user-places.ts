import { BpfError } from '../base/index.js';
import { type Host, type HostUserText, nearestNames, type UserFile } from '../host/index.js';
import { ElfImage, readUsdtNotes, type UsdtNote } from '../kprobe/index.js';

/** A place in a file, and where it is linked to run. */
export interface UserPlaceInFile {
  readonly file: UserFile;
  readonly offset: number;
  /** Its address in the linked image; 0 where the file tells none. */
  readonly address: bigint;
}

export interface UsdtPlace extends UserPlaceInFile {
  readonly note: UsdtNote;
  /** Offset in the file of the semaphore, 0: none. */
  readonly refCtrOffset: number;
}

/** A file of the host, read. */
export interface UserImage {
  readonly user: HostUserText;
  readonly file: UserFile;
  readonly elf: ElfImage;
}

/**
 * Where `symbol` plus `offset` lies in the file at `path`; without a symbol `offset` counts from the start of the file. ENOENT
 * for no such file or function (with those most like it), EINVAL for a function that is not in the file.
 */
export function resolveUserPlace(
  host: Host,
  target: { readonly path: string; readonly symbol?: string; readonly offset: number },
): UserPlaceInFile {
  const image = openImage(host, target.path);
  const { file, elf } = image;
  if (target.symbol === undefined) {
    return { file, offset: target.offset, address: elf.addressOf(target.offset) ?? 0n };
  }
  const address = functionAddress(image, target.symbol) + BigInt(target.offset);
  const offset = elf.offsetOf(address);
  if (offset !== null) return { file, offset, address };
  throw new BpfError('EINVAL', `placing a uprobe at ${target.symbol} of ${file.path}`, {
    value: `0x${address.toString(16)}`,
    remedy: 'nothing of the file is mapped there',
  });
}

/** All places of a USDT probe. ENOENT where the file has none of that name (with those that it has). */
export function resolveUsdt(host: Host, path: string, provider: string, name: string): UsdtPlace[] {
  const { file, elf } = openImage(host, path);
  const notes = readUsdtNotes(elf);
  const wanted = notes.filter((note) => note.provider === provider && note.name === name);
  if (wanted.length === 0) {
    const known = [...new Set(notes.map((note) => `${note.provider}:${note.name}`))];
    throw new BpfError('ENOENT', `${path} has no USDT probe ${provider}:${name}`, {
      remedy: known.length === 0 ? 'it has none at all' : `it has ${known.join(', ')}`,
    });
  }
  return wanted.map((note) => ({
    file,
    note,
    offset: offsetOf(elf, note.pc, note),
    address: note.pc,
    refCtrOffset: note.semaphore === 0n ? 0 : offsetOf(elf, note.semaphore, note),
  }));
}

/** EOPNOTSUPP where the host does not follow files, ENOENT and EINVAL for what is no program of it. */
export function openImage(host: Host, path: string): UserImage {
  const { userText } = host;
  if (userText === undefined) {
    throw new BpfError('EOPNOTSUPP', `placing a uprobe in ${path}`, {
      remedy: `${host.name} does not follow which files its programs execute`,
    });
  }
  const file = userText.open(path);
  if (file === null) {
    throw new BpfError('ENOENT', `placing a uprobe in ${path}`, { remedy: `${host.name} has no such file` });
  }
  const bytes = new Uint8Array(file.size);
  userText.read(file, 0, bytes);
  return { user: userText, file, elf: new ElfImage(bytes, path) };
}

/** The functions of a file, each name once, sorted by name: of its own tables, and those the host knows otherwise. */
export function userFunctions({ user, file, elf }: UserImage): { name: string; address: bigint }[] {
  const own = elf.symbols().filter((symbol) => symbol.function && symbol.address !== 0n);
  const known = [...(user.symbols?.(file) ?? [])].filter(({ type, size }) => /^[tTwW]$/.test(type) && size !== 0n);
  const byName = new Map([...known, ...own.toReversed()].map((symbol) => [symbol.name, symbol.address]));
  return [...byName]
    .map(([name, address]) => ({ name, address }))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function functionAddress({ user, file, elf }: UserImage, name: string): bigint {
  const symbols = elf.symbols().filter((symbol) => symbol.function && symbol.address !== 0n);
  const found = symbols.find((symbol) => symbol.name === name) ?? user.symbols?.(file)?.lookup(name);
  if (found !== undefined) return found.address;
  const known = [...symbols, ...(user.symbols?.(file) ?? [])].map((symbol) => symbol.name);
  const near = nearestNames(name, known);
  throw new BpfError('ENOENT', `${file.path} has no function ${name}`, {
    remedy: near.length > 0 ? `similar names: ${near.join(', ')}` : 'give the offset in the file',
  });
}

function offsetOf(elf: ElfImage, address: bigint, { provider, name }: UsdtNote): number {
  const offset = elf.offsetOf(address);
  if (offset !== null) return offset;
  throw new BpfError('EINVAL', `reading the USDT probe ${provider}:${name}`, {
    value: `0x${address.toString(16)}`,
    remedy: 'nothing of the file is mapped there',
  });
}
