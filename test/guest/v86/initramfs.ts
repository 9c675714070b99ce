/** One entry of an archive: a file with its bytes, a folder, or a character device. */
export interface InitramfsEntry {
  readonly name: string;
  /** As st_mode: type and permissions. */
  readonly mode: number;
  readonly data?: Uint8Array;
  readonly device?: readonly [major: number, minor: number];
}

export const FOLDER = 0o040755;
export const EXECUTABLE = 0o100755;
export const CHARACTER_DEVICE = 0o020600;

/** An initramfs in the format that kernels read (cpio "newc", Documentation/driver-api/early-userspace/buffer-format.rst). */
export function initramfs(entries: readonly InitramfsEntry[]): Uint8Array {
  return Buffer.concat(
    [...entries, { name: 'TRAILER!!!', mode: 0 }].flatMap((entry, i) => [header(entry, i + 1), body(entry)]),
  );
}

function header({ name, mode, data, device = [0, 0] }: InitramfsEntry, inode: number): Buffer {
  const size = data?.length ?? 0;
  const fields = [inode, mode, 0, 0, 1, 0, size, 0, 0, ...device, name.length + 1, 0];
  const text = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return padded(Buffer.from(text, 'latin1'));
}

function body({ data }: InitramfsEntry): Buffer {
  return padded(Buffer.from(data ?? []));
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
