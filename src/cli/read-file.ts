import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { BpfError } from '../base/index.js';

/** Pipes and devices tell no size: this much of them is read, at most. */
const MAX_STREAM_BYTES = 256 << 20;
/** What Node reads into one buffer. */
const MAX_FILE_BYTES = 2 ** 31 - 1;
const CHUNK_BYTES = 1 << 20;

/** The bytes of a file, pipe or device. EFBIG where it is too long or has no end. */
export function readFile(path: string): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return readStream(fd, path);
    if (stat.size > MAX_FILE_BYTES) throw tooLong(path, stat.size, MAX_FILE_BYTES);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function readStream(fd: number, path: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const size = readSync(fd, chunk);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, size));
    total += size;
    if (total > MAX_STREAM_BYTES) throw tooLong(path, total, MAX_STREAM_BYTES);
  }
}

function tooLong(path: string, size: number, limit: number): BpfError {
  return new BpfError('EFBIG', `reading ${path}`, { value: size, remedy: `${limit} bytes are the limit` });
}
