import { u64, utf8Text } from '../../base/index.js';
import type { SymbolTable } from '../../host/index.js';
import type { EventLayout } from './event-layout.js';
import type { FetchArg } from './fetch-arg.js';
import type { FetchType } from './fetch-type.js';
import { symbolText } from './symbol-text.js';

/** What the text of a record depends on besides its bytes. */
export interface PrintedEvent {
  readonly name: string;
  readonly isReturn: boolean;
  readonly args: readonly FetchArg[];
  readonly layout: EventLayout;
}

/** The text of a record as tracefs shows it behind the time: `read: (vfs_read+0x0/0x310) count=16`. */
export function printEvent(
  { name, isReturn, args, layout }: PrintedEvent,
  record: Uint8Array,
  symbols: SymbolTable,
): string {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const addresses = layout.fields.slice(0, isReturn ? 2 : 1).map(({ offset, size }) => word(view, offset, size === 8));
  const where = isReturn
    ? `${symbolText(symbols, addresses[1])} <- ${symbols.at(addresses[0])?.name ?? symbolText(symbols, addresses[0])}`
    : symbolText(symbols, addresses[0]);
  const shown = args.map((arg, i) => ` ${arg.name}=${argumentText(arg, layout.offsets[i], view, symbols)}`);
  return `${name}: (${where})${shown.join('')}`;
}

function argumentText({ type, count }: FetchArg, offset: number, view: DataView, symbols: SymbolTable): string {
  if (count === 0) return valueText(type, offset, view, symbols);
  const values = Array.from({ length: count }, (_, i) => valueText(type, offset + i * type.size, view, symbols));
  return `{${values.join(',')}}`;
}

function valueText(type: FetchType, at: number, view: DataView, symbols: SymbolTable): string {
  switch (type.format) {
    case 'string':
      return dynamicText(view, at);
    case 'symbol':
      return symbolText(symbols, unsigned(view, at, type.size));
    case 'char':
      return `'${String.fromCharCode(view.getUint8(at))}'`;
    case 'hex':
      return `0x${unsigned(view, at, type.size).toString(16)}`;
    case 'signed':
      return String(BigInt.asIntN(8 * type.size, unsigned(view, at, type.size)));
    default:
      return String(unsigned(view, at, type.size));
  }
}

/** The text that a `__data_loc` word tells of: its length in the high half, its place in the low one. */
function dynamicText(view: DataView, at: number): string {
  const location = view.getUint32(at, true);
  const length = location >>> 16;
  if (length === 0) return '(fault)';
  const bytes = new Uint8Array(view.buffer, view.byteOffset + (location & 0xffff), length);
  const end = bytes.indexOf(0);
  return `"${utf8Text(end < 0 ? bytes : bytes.subarray(0, end))}"`;
}

function word(view: DataView, at: number, wide: boolean): bigint {
  return unsigned(view, at, wide ? 8 : 4);
}

function unsigned(view: DataView, at: number, size: 1 | 2 | 4 | 8): bigint {
  switch (size) {
    case 1:
      return BigInt(view.getUint8(at));
    case 2:
      return BigInt(view.getUint16(at, true));
    case 4:
      return BigInt(view.getUint32(at, true));
    default:
      return u64(view.getInt32(at, true), view.getInt32(at + 4, true));
  }
}
