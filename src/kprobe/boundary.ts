import type { ArchProbing } from '../arch/index.js';
import { BpfError } from '../base/index.js';

/**
 * Makes sure that an instruction begins at `offset` of a function whose text begins `bytes`, by decoding from its
 * start. The architecture's errno in Linux names the boundaries around it.
 */
export function checkBoundary(probing: ArchProbing, bytes: Uint8Array, offset: number, name: string): void {
  const starts: number[] = [];
  let at = 0;
  while (at < offset) {
    starts.push(at);
    const length = probing.insnLength(bytes, at);
    if (length === 0) break;
    at += length;
  }
  if (at === offset) return;
  const before = starts.slice(-4).map(hexOffset).join(' ');
  const known = at > offset ? `instructions begin at ${before} and ${hexOffset(at)}` : `decoding stopped at ${before}`;
  throw new BpfError(probing.boundaryErrno, `placing a probe at ${name}${hexOffset(offset)}`, {
    remedy: `no instruction begins there: ${known}`,
  });
}

/** Offsets of all instructions in `bytes`, decoded from its start; stops where the bytes are no instruction. */
export function insnBoundaries(probing: ArchProbing, bytes: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = probing.insnLength(bytes, at);
    if (length === 0) break;
    starts.push(at);
    at += length;
  }
  return starts;
}

function hexOffset(offset: number): string {
  return `+0x${offset.toString(16)}`;
}
