import { roundUp } from '../../base/index.js';
/** One entry of an archive. Names have no leading slash; folders come before what is in them. */
export type CpioEntry =
  | { readonly kind: 'folder'; readonly name: string }
  | { readonly kind: 'file'; readonly name: string; readonly data: Uint8Array; readonly executable?: boolean }
  | { readonly kind: 'link'; readonly name: string; readonly target: string }
  | { readonly kind: 'device'; readonly name: string; readonly major: number; readonly minor: number };

const FOLDER = 0o040755;
const FILE = 0o100644;
const EXECUTABLE = 0o100755;
const LINK = 0o120777;
const CHARACTER_DEVICE = 0o020600;
const HEADER_BYTES = 110;

/**
 * An archive in cpio's `newc` format, which the kernel unpacks as its initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst). All files belong to root, whoever writes them.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const parts = [...entries.map((entry, i) => encode(entry, i + 1)), trailer()];
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  // The kernel takes any length; tools expect whole blocks.
  const archive = new Uint8Array(roundUp(total, 512));
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

function encode(entry: CpioEntry, inode: number): Uint8Array {
  const { name } = entry;
  if (entry.kind === 'folder') return member({ inode, mode: FOLDER, links: 2, name });
  if (entry.kind === 'link') return member({ inode, mode: LINK, name, data: new TextEncoder().encode(entry.target) });
  if (entry.kind === 'file') {
    return member({ inode, mode: entry.executable === true ? EXECUTABLE : FILE, name, data: entry.data });
  }
  return member({ inode, mode: CHARACTER_DEVICE, name, device: [entry.major, entry.minor] });
}

function trailer(): Uint8Array {
  return member({ inode: 0, mode: 0, name: 'TRAILER!!!' });
}

interface Member {
  readonly inode: number;
  readonly mode: number;
  readonly links?: number;
  readonly name: string;
  readonly data?: Uint8Array;
  readonly device?: readonly [major: number, minor: number];
}

function member({ inode, mode, links = 1, name, data = new Uint8Array(), device = [0, 0] }: Member): Uint8Array {
  const encoded = new TextEncoder().encode(`${name}\0`);
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, ...device, encoded.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  const dataAt = roundUp(HEADER_BYTES + encoded.length, 4);
  const bytes = new Uint8Array(dataAt + roundUp(data.length, 4));
  bytes.set(new TextEncoder().encode(header));
  bytes.set(encoded, HEADER_BYTES);
  bytes.set(data, dataAt);
  return bytes;
}
