import { BpfError, hi32, lo32 } from '../../base/index.js';
import type { Btf } from '../../btf/index.js';
import type { Host } from '../../host/index.js';

/** Reads structures of a host's kernel by its own types. Faults read as 0. */
export class KernelReader {
  readonly #host: Host;
  readonly #btf: Btf;
  readonly #bytes = new Uint8Array(8);
  readonly #view = new DataView(this.#bytes.buffer);

  /** EOPNOTSUPP where the host has no types. */
  constructor(host: Host, what: string) {
    if (host.btf === null) throw new BpfError('EOPNOTSUPP', what, { remedy: `${host.name} has no BTF` });
    this.#host = host;
    this.#btf = host.btf;
  }

  /** Byte offset of a member, or undefined where the type or the member is not there. */
  offset(type: string, member: string): number | undefined {
    const found = this.#btf.findByName(type, 'struct');
    const location = found === undefined ? undefined : this.#btf.member(found.id, member);
    return location === undefined ? undefined : location.bitOffset / 8;
  }

  /** As `offset`; EOPNOTSUPP where it is not there. */
  need(type: string, member: string): number {
    const offset = this.offset(type, member);
    if (offset !== undefined) return offset;
    throw new BpfError('EOPNOTSUPP', `reading struct ${type} of ${this.#host.name}`, {
      value: member,
      remedy: 'its BTF has no such member',
    });
  }

  /** Elements of an array member. */
  count(type: string, member: string): number {
    const found = this.#btf.findByName(type, 'struct');
    const location = found === undefined ? undefined : this.#btf.member(found.id, member);
    const array = location === undefined ? undefined : this.#btf.resolve(location.type);
    return array?.kind === 'array' ? array.count : 0;
  }

  symbol(name: string): bigint | undefined {
    return this.#host.symbols.lookup(name)?.address;
  }

  u32(address: bigint): number {
    return this.#read(address, 4) ? this.#view.getUint32(0, true) : 0;
  }

  pointer(address: bigint): bigint {
    const size = this.#host.arch.pointerSize;
    if (!this.#read(address, size)) return 0n;
    return size === 8 ? this.#view.getBigUint64(0, true) : BigInt(this.#view.getUint32(0, true));
  }

  #read(address: bigint, size: number): boolean {
    return this.#host.memory.readKernel(lo32(address), hi32(address), this.#bytes, 0, size);
  }
}
