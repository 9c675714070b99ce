import { hi32, lo32 } from '../../base/index.js';
import type { Btf } from '../../btf/index.js';
import type { Host } from '../../host/index.js';

const bytes = new Uint8Array(8);
const view = new DataView(bytes.buffer);
const known = new WeakMap<Btf, Map<string, number>>();

/** Byte offset of a member of a struct in the host's own types, or -1 where they do not have it. */
export function fieldOffset({ btf }: Pick<Host, 'btf'>, struct: string, member: string): number {
  if (btf === null) return -1;
  let offsets = known.get(btf);
  if (offsets === undefined) known.set(btf, (offsets = new Map()));
  const name = `${struct}.${member}`;
  let offset = offsets.get(name);
  if (offset === undefined) {
    const type = btf.findByName(struct, 'struct');
    const place = type === undefined ? undefined : btf.member(type.id, member);
    offsets.set(name, (offset = place === undefined ? -1 : place.bitOffset / 8));
  }
  return offset;
}

/** The 64 bits at a member of the struct at `address`; 0 where there are none or memory faults. */
export function u64Field(host: Host, struct: string, member: string, address: bigint): bigint {
  return readField(host, struct, member, address, bytes.length);
}

/** The pointer in a member of the struct at `address`; 0 where there is none or memory faults. */
export function pointerField(host: Host, struct: string, member: string, address: bigint): bigint {
  return readField(host, struct, member, address, host.arch.pointerSize);
}

function readField(host: Host, struct: string, member: string, address: bigint, size: number): bigint {
  const offset = fieldOffset(host, struct, member);
  const at = address + BigInt(offset);
  bytes.fill(0);
  if (offset < 0 || !host.memory.readKernel(lo32(at), hi32(at), bytes, 0, size)) return 0n;
  return view.getBigUint64(0, true);
}
