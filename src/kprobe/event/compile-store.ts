import type { PtRegs } from '../../arch/index.js';
import type { HostTasks, SymbolTable, TraceRecord } from '../../host/index.js';
import { u64 } from '../../base/index.js';
import { compileAddress, compileValue, type FetchMachine, type FetchValue, addTo, readBytes } from './compile-fetch.js';
import type { FetchArg, FetchBitfield } from './fetch-arg.js';
import { type TextSource, textWriter } from './fetch-text.js';
import { symbolText } from './symbol-text.js';

/** What storing needs besides what fetching does. */
export interface StoreMachine extends FetchMachine {
  readonly tasks: HostTasks;
  readonly symbols: SymbolTable;
}

/** Puts an argument of the hit into its record. Where memory faults, numbers stay 0 and text is marked as absent. */
export type FetchStore = (regs: PtRegs, record: TraceRecord) => void;

/** Compiles an argument whose fixed part is at `offset` of the record. */
export function compileStore(arg: FetchArg, offset: number, machine: StoreMachine): FetchStore {
  if (arg.type.text !== null) return storeText(arg, offset, machine);
  const { source, type } = arg;
  if (source.op !== 'deref') return storeNumber(compileValue(source, machine), arg, offset);
  const address = compileAddress(source, machine);
  const { memory } = machine;
  const bits = bitfieldOf(arg.bitfield, type.size);
  const at = new Int32Array(2);
  const count = Math.max(arg.count, 1);
  return (regs, record) => {
    if (!address(regs, at)) return;
    for (let i = 0; i < count; i++) {
      const place = record.start + offset + i * type.size;
      if (readBytes(memory, at, source.user, record.data, place, type.size)) bits?.(record.view, place);
      addTo(at, type.size, 0);
    }
  };
}

function storeNumber(value: FetchValue, { type, bitfield }: FetchArg, offset: number): FetchStore {
  const words = new Int32Array(2);
  const bits = bitfieldOf(bitfield, type.size);
  const put = NUMBER[type.size];
  return (regs, record) => {
    if (!value(regs, words)) return;
    const place = record.start + offset;
    put(record.view, place, words);
    bits?.(record.view, place);
  };
}

type PutNumber = (view: DataView, at: number, words: Int32Array) => void;

const NUMBER: Readonly<Record<1 | 2 | 4 | 8, PutNumber>> = {
  1: (view, at, words) => view.setInt8(at, words[0]),
  2: (view, at, words) => view.setInt16(at, words[0], true),
  4: (view, at, words) => view.setInt32(at, words[0], true),
  8: (view, at, words) => {
    view.setInt32(at, words[0], true);
    view.setInt32(at + 4, words[1], true);
  },
};

/** Cuts the bits out of the container that stands at a place. */
function bitfieldOf(bits: FetchBitfield | null, size: 1 | 2 | 4 | 8): ((view: DataView, at: number) => void) | null {
  if (bits === null) return null;
  const { left, right } = bits;
  switch (size) {
    case 1:
      return (view, at) => view.setUint8(at, ((view.getUint8(at) << left) & 0xff) >>> right);
    case 2:
      return (view, at) => view.setUint16(at, ((view.getUint16(at, true) << left) & 0xffff) >>> right, true);
    case 4:
      return (view, at) => view.setUint32(at, (view.getUint32(at, true) << left) >>> right, true);
    default:
      return (view, at) => wideBits(view, at, left, right);
  }
}

/** Both shifts at once, bit positions counted from the right: what is left are `64 - right` bits from `right - left` on. */
function wideBits(view: DataView, at: number, left: number, right: number): void {
  const from = right - left;
  const width = 64 - right;
  const lo = view.getInt32(at, true);
  const hi = view.getInt32(at + 4, true);
  const low = from === 0 ? lo : from < 32 ? (lo >>> from) | (hi << (32 - from)) : hi >>> (from - 32);
  const high = from < 32 ? hi >>> from : 0;
  view.setInt32(at, width >= 32 ? low : low & ((1 << width) - 1), true);
  view.setInt32(at + 4, width <= 32 ? 0 : width === 64 ? high : high & ((1 << (width - 32)) - 1), true);
}

function storeText(arg: FetchArg, offset: number, machine: StoreMachine): FetchStore {
  if (arg.type.text === 'symstr') return storeSymbol(compileValue(arg.source, machine), offset, machine.symbols);
  const count = Math.max(arg.count, 1);
  const write = textWriter(textSource(arg, machine), machine);
  return (regs, record) => {
    for (let i = 0; i < count; i++) {
      const length = write(regs, record, i);
      putLocation(record, offset + 4 * i, length);
    }
  };
}

/** Notes where the text that was appended last lies; none: a fault. */
function putLocation(record: TraceRecord, at: number, length: number): void {
  record.view.setInt32(record.start + at, (length << 16) | record.length, true);
  record.length += length;
}

function textSource(arg: FetchArg, machine: FetchMachine): TextSource {
  const { source, type } = arg;
  if (source.op === 'comm') return { kind: 'comm' };
  if (source.op === 'text') return { kind: 'constant', bytes: source.bytes };
  const user = type.text === 'ustring' || (source.op === 'deref' && source.user);
  const isPointer = arg.count > 0 && source.op === 'deref';
  const address = source.op === 'deref' ? compileAddress(source, machine) : compileValue(source, machine);
  return {
    kind: isPointer ? 'pointers' : 'memory',
    address,
    user,
    pointersInUser: source.op === 'deref' && source.user,
  };
}

const ascii = new TextEncoder();

/** `vfs_read+0x0/0x310` as text. */
function storeSymbol(value: FetchValue, offset: number, symbols: SymbolTable): FetchStore {
  const words = new Int32Array(2);
  return (regs, record) => {
    if (!value(regs, words)) {
      putLocation(record, offset, 0);
      return;
    }
    const text = ascii.encode(symbolText(symbols, u64(words[0], words[1])));
    record.data.set(text, record.start + record.length);
    record.data[record.start + record.length + text.length] = 0;
    putLocation(record, offset, text.length + 1);
  };
}
