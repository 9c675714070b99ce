import { BpfError } from '../base/index.js';

/** sizeof(union bpf_attr) of Linux 6.18: what lies behind must be zero (E2BIG). */
const BPF_ATTR_SIZE = 168;
/** A page: attributes are never longer (E2BIG). */
const MAX_ATTR_SIZE = 4096;
/** Bytes of the `raw_tracepoint` member: what lies behind must be zero (EINVAL). */
const RAW_TRACEPOINT_SIZE = 24;
/** Room for the name, terminator included. */
const NAME_SIZE = 128;

const NAME_AT = 0;
const PROG_FD_AT = 8;
const COOKIE_AT = 16;

/**
 * Up to `length` bytes of the caller's memory at `address`, up to and including the first NUL if there is one;
 * null is a fault.
 */
export type UserStringReader = (address: bigint, length: number) => Uint8Array | null;

/** The `raw_tracepoint` member of union bpf_attr. */
export interface RawTracepointAttr {
  /** Address of the tracepoint's name, 0 for programs that know theirs. */
  readonly name: bigint;
  readonly progFd: number;
  readonly cookie: bigint;
}

/**
 * Reads the attributes of BPF_RAW_TRACEPOINT_OPEN: {u64 name, u32 prog_fd, u32 unused, u64 cookie}. Shorter ones are
 * taken to go on with zeros. E2BIG for bytes behind what the kernel knows, EINVAL for bytes that the command
 * does not use.
 */
export function parseRawTracepointAttr(attr: Uint8Array): RawTracepointAttr {
  const behindKernel = firstNonZero(attr, BPF_ATTR_SIZE);
  if (attr.length > MAX_ATTR_SIZE || behindKernel >= 0) {
    throw new BpfError('E2BIG', 'reading the attributes of BPF_RAW_TRACEPOINT_OPEN', {
      offset: Math.max(behindKernel, BPF_ATTR_SIZE),
      value: attr.length,
      remedy: `Linux knows ${BPF_ATTR_SIZE} bytes: what follows must be zero, and all of it within ${MAX_ATTR_SIZE}`,
    });
  }
  const unused = firstNonZero(attr, RAW_TRACEPOINT_SIZE);
  if (unused >= 0) {
    throw new BpfError('EINVAL', 'reading the attributes of BPF_RAW_TRACEPOINT_OPEN', {
      offset: unused,
      value: attr[unused],
      remedy: `the command uses ${RAW_TRACEPOINT_SIZE} bytes: what follows must be zero`,
    });
  }
  const known = new Uint8Array(RAW_TRACEPOINT_SIZE);
  known.set(attr.subarray(0, RAW_TRACEPOINT_SIZE));
  const view = new DataView(known.buffer);
  return {
    name: view.getBigUint64(NAME_AT, true),
    progFd: view.getInt32(PROG_FD_AT, true),
    cookie: view.getBigUint64(COOKIE_AT, true),
  };
}

/** The tracepoint's name at `address`, cut to 127 bytes as Linux does. EFAULT where it cannot be read. */
export function readTracepointName(address: bigint, readUser: UserStringReader): string {
  const bytes = readUser(address, NAME_SIZE - 1);
  if (bytes === null) {
    throw new BpfError('EFAULT', 'reading the name of a raw tracepoint', { value: `0x${address.toString(16)}` });
  }
  const cut = bytes.subarray(0, NAME_SIZE - 1);
  const end = cut.indexOf(0);
  return new TextDecoder('utf-8').decode(end < 0 ? cut : cut.subarray(0, end));
}

function firstNonZero(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) if (bytes[at] !== 0) return at;
  return -1;
}
