import { hi32, lo32 } from '../../../base/index.js';
import type { Btf, BtfMemberLocation } from '../../../btf/index.js';
import type { HostMemory, SymbolTable } from '../../index.js';

/** How to leave one frame (arch/x86/include/asm/orc_types.h). Registers by their ORC numbers. */
export interface OrcEntry {
  readonly spReg: number;
  readonly spOffset: number;
  readonly bpReg: number;
  readonly bpOffset: number;
  readonly kind: 'call' | 'regs' | 'regs-partial' | 'end' | 'undefined';
}

export const OrcReg = {
  undefined: 0,
  prevSp: 1,
  dx: 2,
  di: 3,
  bp: 4,
  sp: 5,
  r10: 6,
  r13: 7,
  bpIndirect: 8,
  spIndirect: 9,
} as const;

type Kind = OrcEntry['kind'];
type OrcFields = Readonly<Record<'sp_offset' | 'bp_offset' | 'sp_reg' | 'bp_reg' | 'type', BtfMemberLocation>>;

/** Up to 6.3 the last entry of a stack is a bit of its own; since 6.4 a type. */
const OLD_KINDS: readonly Kind[] = ['call', 'regs', 'regs-partial'];
const NEW_KINDS: readonly Kind[] = ['undefined', 'end', 'call', 'regs', 'regs-partial'];

/** The ORC unwind tables that an x86_64 kernel carries, read from its memory. */
export class OrcTable {
  readonly #memory: HostMemory;
  readonly #ips: bigint;
  readonly #entries: bigint;
  readonly #count: number;
  readonly #size: number;
  readonly #fields: OrcFields;
  readonly #end: BtfMemberLocation | undefined;
  readonly #bytes = new Uint8Array(8);
  readonly #view = new DataView(this.#bytes.buffer);

  private constructor(
    memory: HostMemory,
    place: { readonly ips: bigint; readonly entries: bigint; readonly count: number; readonly size: number },
    fields: OrcFields,
    end: BtfMemberLocation | undefined,
  ) {
    this.#memory = memory;
    this.#ips = place.ips;
    this.#entries = place.entries;
    this.#count = place.count;
    this.#size = place.size;
    this.#fields = fields;
    this.#end = end;
  }

  /** Null where the kernel has no such tables, or does not say where. */
  static find(memory: HostMemory, symbols: SymbolTable, btf: Btf): OrcTable | null {
    const type = btf.findByName('orc_entry', 'struct');
    const [ips, ipsEnd, entries] = ['__start_orc_unwind_ip', '__stop_orc_unwind_ip', '__start_orc_unwind'].map(
      (name) => symbols.lookup(name)?.address,
    );
    if (type === undefined || ips === undefined || ipsEnd === undefined || entries === undefined) return null;
    const member = (name: string): BtfMemberLocation | undefined => btf.member(type.id, name);
    const [spOffset, bpOffset, spReg, bpReg, kind] = ['sp_offset', 'bp_offset', 'sp_reg', 'bp_reg', 'type'].map(member);
    if (spOffset === undefined || bpOffset === undefined || spReg === undefined || bpReg === undefined) return null;
    if (kind === undefined || type.size > 8) return null;
    return new OrcTable(
      memory,
      { ips, entries, count: Number(ipsEnd - ips) >> 2, size: type.size },
      { sp_offset: spOffset, bp_offset: bpOffset, sp_reg: spReg, bp_reg: bpReg, type: kind },
      member('end'),
    );
  }

  /** The entry in force at `address`: the last that begins at or before it. Null on a fault, or before all of them. */
  at(address: bigint): OrcEntry | null {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const start = this.#startOf(middle);
      if (start === null) return null;
      if (start <= address) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : this.#entry(low - 1);
  }

  /** Starts are kept as distances from where they are kept. */
  #startOf(index: number): bigint | null {
    const place = this.#ips + BigInt(index * 4);
    if (!this.#memory.readKernel(lo32(place), hi32(place), this.#bytes, 0, 4)) return null;
    return place + BigInt(this.#view.getInt32(0, true));
  }

  #entry(index: number): OrcEntry | null {
    const place = this.#entries + BigInt(index * this.#size);
    if (!this.#memory.readKernel(lo32(place), hi32(place), this.#bytes, 0, this.#size)) return null;
    const { sp_offset: spOffset, bp_offset: bpOffset, sp_reg: spReg, bp_reg: bpReg, type } = this.#fields;
    const kind = this.#field(type);
    const isEnd = this.#end !== undefined && this.#field(this.#end) !== 0;
    return {
      spReg: this.#field(spReg),
      spOffset: this.#view.getInt16(spOffset.bitOffset >> 3, true),
      bpReg: this.#field(bpReg),
      bpOffset: this.#view.getInt16(bpOffset.bitOffset >> 3, true),
      kind: isEnd ? 'end' : ((this.#end === undefined ? NEW_KINDS : OLD_KINDS)[kind] ?? 'undefined'),
    };
  }

  /** A bit-field; all of them lie within the first 64 bits. */
  #field({ bitOffset, bitSize }: BtfMemberLocation): number {
    const byte = bitOffset >> 3;
    const word = this.#bytes[byte] | ((this.#bytes[byte + 1] ?? 0) << 8);
    return (word >> (bitOffset & 7)) & ((1 << bitSize) - 1);
  }
}
