import type { Arch, InsnMemory, PtRegs } from '../../arch/index.js';
import { hi32, lo32 } from '../../base/index.js';
import type { HostMemory } from '../../host/index.js';
import type { FetchSource } from './fetch-arg.js';

/** Puts a value into the two words of `out`; false is a memory fault. */
export type FetchValue = (regs: PtRegs, out: Int32Array) => boolean;

type ValueSource = Exclude<FetchSource, { op: 'comm' | 'text' | 'symbol' }>;

/** What compiled arguments read; `scratch` is theirs during a hit. */
export interface FetchMachine {
  readonly arch: Arch;
  readonly memory: HostMemory;
  readonly insns: InsnMemory;
  /** Address of a symbol with an offset, looked up once. */
  readonly symbol: (text: string) => bigint;
}

/** THREAD_SIZE. */
const STACK_SIZE = { 4: 8192, 8: 16384 } as const;

/**
 * Compiles a source to a function that fetches its value, once for all hits. Text has no value: it is stored from where
 * it is.
 */
export function compileValue(source: ValueSource | FetchSource, machine: FetchMachine): FetchValue {
  const { layout } = { layout: machine.arch.ptRegs };
  switch (source.op) {
    case 'register':
      return slotValue(source.slot);
    case 'returnValue':
      return slotValue(layout.ret);
    case 'stackPointer':
      return slotValue(layout.sp);
    case 'stack':
      return stackValue(source.index, machine);
    case 'argument':
      return argumentValue(source.index, machine);
    case 'immediate':
      return constantValue(source.value);
    case 'symbol':
      return constantValue(machine.symbol(source.text));
    case 'deref':
      return memoryValue(compileAddress(source, machine), source.user, machine);
    default:
      throw new TypeError(`${source.op} is no value`);
  }
}

/** The address that a dereference reads. */
export function compileAddress(source: Extract<FetchSource, { op: 'deref' }>, machine: FetchMachine): FetchValue {
  const base = compileValue(source.from, machine);
  const offsetLo = lo32(source.offset);
  const offsetHi = hi32(source.offset);
  if (source.offset === 0n) return base;
  return (regs, out) => {
    if (!base(regs, out)) return false;
    addTo(out, offsetLo, offsetHi);
    return true;
  };
}

/** Adds a 64-bit number to the two words of `out`. */
export function addTo(out: Int32Array, lo: number, hi: number): void {
  const sum = (out[0] >>> 0) + (lo >>> 0);
  out[0] = sum | 0;
  out[1] = (out[1] + hi + (sum > 0xffff_ffff ? 1 : 0)) | 0;
}

/** Reads kernel memory, or user memory where the address or the argument says so (probe_mem_read()). */
export function readBytes(
  memory: HostMemory,
  address: Int32Array,
  user: boolean,
  dst: Uint8Array,
  offset: number,
  length: number,
): boolean {
  const lo = address[0];
  const hi = address[1];
  return user || memory.isUser(lo, hi)
    ? memory.readUser(lo, hi, dst, offset, length)
    : memory.readKernel(lo, hi, dst, offset, length);
}

function slotValue(slot: number): FetchValue {
  return (regs, out) => {
    out[0] = regs.lo(slot);
    out[1] = regs.hi(slot);
    return true;
  };
}

function constantValue(value: bigint): FetchValue {
  const lo = lo32(value);
  const hi = hi32(value);
  return (_regs, out) => {
    out[0] = lo;
    out[1] = hi;
    return true;
  };
}

/** regs_get_kernel_stack_nth(): 0 for what does not lie on the stack of the stack pointer. */
function stackValue(index: number, { arch, insns }: FetchMachine): FetchValue {
  const { pointerSize } = arch;
  const { sp } = arch.ptRegs;
  const size = STACK_SIZE[pointerSize];
  const bytes = new Uint8Array(8);
  const words = new Int32Array(bytes.buffer);
  return (regs, out) => {
    const before = regs.lo(sp);
    const hi = regs.hi(sp);
    out[0] = before;
    out[1] = hi;
    addTo(out, pointerSize * index, 0);
    const isOnStack = out[1] === hi && (out[0] & -size) === (before & -size);
    words.fill(0);
    if (isOnStack) insns.read(out[0], out[1], bytes, pointerSize);
    out[0] = words[0];
    out[1] = words[1];
    return true;
  };
}

/** regs_get_kernel_argument(): 0 past the registers where it does not look at the stack. */
function argumentValue(index: number, machine: FetchMachine): FetchValue {
  const { args, stackArgs } = machine.arch.ptRegs;
  if (index < args.length) return slotValue(args[index]);
  return stackArgs === null ? constantValue(0n) : stackValue(stackArgs + index - args.length, machine);
}

function memoryValue(address: FetchValue, user: boolean, { arch, memory }: FetchMachine): FetchValue {
  const { pointerSize } = arch;
  const bytes = new Uint8Array(8);
  const words = new Int32Array(bytes.buffer);
  return (regs, out) => {
    if (!address(regs, out) || !readBytes(memory, out, user, bytes, 0, pointerSize)) return false;
    out[0] = words[0];
    out[1] = words[1];
    return true;
  };
}
