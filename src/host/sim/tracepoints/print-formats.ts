/** Pieces of `print fmt:` expressions that several events share. */

/** The two halves of a dev_t field. */
export function deviceNumbers(field: string): string {
  return `((unsigned int) ((REC->${field}) >> 20)), ((unsigned int) ((REC->${field}) & ((1U << 20) - 1)))`;
}

/** `__print_symbolic` of a field, from names by number. */
export function symbolic(field: string, names: readonly (readonly [number | string, string])[]): string {
  return `__print_symbolic(REC->${field}, ${names.map(([number, name]) => `{ ${number}, "${name}" }`).join(', ')})`;
}

/** Allocation flags, composites first, as Linux 6.1 lists them. */
const GFP_FLAGS: readonly (readonly [number, string])[] = [
  [0x1c_24ca, 'GFP_TRANSHUGE'],
  [0x1c_20ca, 'GFP_TRANSHUGE_LIGHT'],
  [0x10_0cca, 'GFP_HIGHUSER_MOVABLE'],
  [0x10_0cc2, 'GFP_HIGHUSER'],
  [0x10_0cc0, 'GFP_USER'],
  [0x40_0cc0, 'GFP_KERNEL_ACCOUNT'],
  [0xcc0, 'GFP_KERNEL'],
  [0xc40, 'GFP_NOFS'],
  [0xa20, 'GFP_ATOMIC'],
  [0xc00, 'GFP_NOIO'],
  [0x800, 'GFP_NOWAIT'],
  [0x1, 'GFP_DMA'],
  [0x2, '__GFP_HIGHMEM'],
  [0x4, 'GFP_DMA32'],
  [0x20, '__GFP_HIGH'],
  [0x200, '__GFP_ATOMIC'],
  [0x40, '__GFP_IO'],
  [0x80, '__GFP_FS'],
  [0x2000, '__GFP_NOWARN'],
  [0x4000, '__GFP_RETRY_MAYFAIL'],
  [0x8000, '__GFP_NOFAIL'],
  [0x1_0000, '__GFP_NORETRY'],
  [0x4_0000, '__GFP_COMP'],
  [0x100, '__GFP_ZERO'],
  [0x8_0000, '__GFP_NOMEMALLOC'],
  [0x2_0000, '__GFP_MEMALLOC'],
  [0x10_0000, '__GFP_HARDWALL'],
  [0x20_0000, '__GFP_THISNODE'],
  [0x10, '__GFP_RECLAIMABLE'],
  [0x8, '__GFP_MOVABLE'],
  [0x40_0000, '__GFP_ACCOUNT'],
  [0x1000, '__GFP_WRITE'],
  [0xc00, '__GFP_RECLAIM'],
  [0x400, '__GFP_DIRECT_RECLAIM'],
  [0x800, '__GFP_KSWAPD_RECLAIM'],
  [0x80_0000, '__GFP_ZEROTAGS'],
];

/** The names of the flags in `gfp_flags`. */
export const GFP_NAMES = `(REC->gfp_flags) ? __print_flags(REC->gfp_flags, "|", ${GFP_FLAGS.map(
  ([bits, name]) => `{0x${bits.toString(16)}, "${name}"}`,
).join(', ')} ) : "none"`;

/** States of a TCP socket by number. */
export const TCP_STATES: readonly (readonly [number, string])[] = [
  [1, 'TCP_ESTABLISHED'],
  [2, 'TCP_SYN_SENT'],
  [3, 'TCP_SYN_RECV'],
  [4, 'TCP_FIN_WAIT1'],
  [5, 'TCP_FIN_WAIT2'],
  [6, 'TCP_TIME_WAIT'],
  [7, 'TCP_CLOSE'],
  [8, 'TCP_CLOSE_WAIT'],
  [9, 'TCP_LAST_ACK'],
  [10, 'TCP_LISTEN'],
  [11, 'TCP_CLOSING'],
  [12, 'TCP_NEW_SYN_RECV'],
];

export const ADDRESS_FAMILIES: readonly (readonly [number, string])[] = [
  [2, 'AF_INET'],
  [10, 'AF_INET6'],
];
