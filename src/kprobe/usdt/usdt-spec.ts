import type { PtRegs } from '../../arch/index.js';
import { BpfError, hi32, lo32 } from '../../base/index.js';
import type { HostMemory } from '../../host/index.js';
import type { UsdtArg } from './usdt-arg.js';

/** Bytes of libbpf's struct __bpf_usdt_spec, the value type of the map __bpf_usdt_specs. */
export const USDT_SPEC_SIZE = 208;
/** BPF_USDT_MAX_ARG_CNT */
export const USDT_ARGS_MAX = 12;
const ARG_SIZE = 16;
const COOKIE_AT = USDT_ARGS_MAX * ARG_SIZE;
const KINDS = { const: 0, reg: 1, deref: 2 } as const;

/**
 * The struct __bpf_usdt_spec that bpf_usdt_arg() of libbpf's usdt.bpf.h reads: how to find each argument, and the cookie. E2BIG
 * for more than 12 arguments.
 */
export function encodeUsdtSpec(args: readonly UsdtArg[], cookie: bigint, littleEndian: boolean): Uint8Array {
  if (args.length > USDT_ARGS_MAX) {
    throw new BpfError('E2BIG', 'compiling the arguments of a USDT probe', {
      value: args.length,
      remedy: `programs can read ${USDT_ARGS_MAX} of them`,
    });
  }
  const bytes = new Uint8Array(USDT_SPEC_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [i, arg] of args.entries()) {
    const at = i * ARG_SIZE;
    view.setBigInt64(at, arg.value, littleEndian);
    view.setUint32(at + 8, KINDS[arg.kind], littleEndian);
    view.setInt16(at + 12, arg.regOffset, littleEndian);
    view.setUint8(at + 14, arg.signed ? 1 : 0);
    view.setInt8(at + 15, 64 - 8 * arg.size);
  }
  view.setBigUint64(COOKIE_AT, BigInt.asUintN(64, cookie), littleEndian);
  view.setInt16(COOKIE_AT + 8, args.length, littleEndian);
  return bytes;
}

/** The value of an argument at a hit, extended to 64 bits as its sign says; undefined where its memory faults. */
export function readUsdtArg(arg: UsdtArg, regs: PtRegs, memory: HostMemory, littleEndian = true): bigint | undefined {
  const raw = arg.kind === 'const' ? arg.value : readRaw(arg, regs, memory, littleEndian);
  if (raw === undefined) return undefined;
  const bits = 8 * arg.size;
  return arg.signed ? BigInt.asIntN(bits, raw) : BigInt.asUintN(bits, raw);
}

function readRaw(arg: UsdtArg, regs: PtRegs, memory: HostMemory, littleEndian: boolean): bigint | undefined {
  const { layout } = regs;
  const register = regs.get(arg.regOffset / layout.slotSize);
  if (arg.kind === 'reg') return register;
  const address = register + arg.value;
  const bytes = new Uint8Array(8);
  // Only the bytes of the value: what lies behind them may be absent.
  const at = littleEndian ? 0 : 8 - arg.size;
  if (!memory.readUser(lo32(address), hi32(address), bytes, at, arg.size)) return undefined;
  return new DataView(bytes.buffer).getBigUint64(0, littleEndian);
}
