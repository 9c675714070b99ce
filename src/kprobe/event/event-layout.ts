import type { TraceField } from '../../host/index.js';
import { type FetchArg, fixedSize } from './fetch-arg.js';
import type { FetchType } from './fetch-type.js';

/** Bytes of the header that all trace records begin with. */
const COMMON_HEADER = 8;

/** The record of an event: which fields, how long, and how tools print it. */
export interface EventLayout {
  readonly fields: readonly TraceField[];
  /** Bytes of the fixed part. */
  readonly size: number;
  readonly printFmt: string;
  /** Where each argument stands. */
  readonly offsets: readonly number[];
}

/**
 * Lays the arguments out behind the addresses of the probe, without padding (struct kprobe_trace_entry_head and
 * kretprobe_trace_entry_head).
 */
export function layOutEvent(args: readonly FetchArg[], isReturn: boolean, wordSize: 4 | 8): EventLayout {
  const fields: TraceField[] = [];
  const offsets: number[] = [];
  let size = COMMON_HEADER;
  for (const name of isReturn ? ['__probe_func', '__probe_ret_ip'] : ['__probe_ip']) {
    fields.push({ name, type: 'unsigned long', arrayLength: 0, offset: size, size: wordSize, signed: false });
    size += wordSize;
  }
  for (const arg of args) {
    offsets.push(size);
    fields.push(fieldOf(arg, size));
    size += fixedSize(arg);
  }
  return { fields, size, printFmt: printFmtOf(args, isReturn), offsets };
}

function fieldOf(arg: FetchArg, offset: number): TraceField {
  const { name, type, count } = arg;
  const common = { name, offset, size: fixedSize(arg), signed: type.signed, arrayLength: 0 };
  if (count === 0) return { ...common, type: type.fieldType };
  // The bounds of text arrays are part of the type; those of numbers are not shown.
  return type.text === null
    ? { ...common, type: type.fieldType, arrayLength: count, hidesBounds: true }
    : { ...common, type: `${type.fieldType}[${count}]` };
}

function printFmtOf(args: readonly FetchArg[], isReturn: boolean): string {
  const head = isReturn ? '(%lx <- %lx)' : '(%lx)';
  const values = isReturn ? ['REC->__probe_func', 'REC->__probe_ret_ip'] : ['REC->__probe_ip'];
  const shown = args.map(({ name, type, count }) => ` ${name}=${repeat(conversion(type), count)}`);
  for (const { name, type, count } of args) {
    for (let i = 0; i < Math.max(count, 1); i++) {
      const element = count > 0 ? `${name}[${i}]` : name;
      values.push(type.text === null ? `REC->${element}` : `__get_str(${element})`);
    }
  }
  return [`"${head}${shown.join('')}"`, ...values].join(', ');
}

function repeat(text: string, count: number): string {
  return count === 0 ? text : `{${Array.from({ length: count }, () => text).join(',')}}`;
}

function conversion({ format, size }: FetchType): string {
  const long = size === 8 ? 'L' : '';
  switch (format) {
    case 'unsigned':
      return `%${long}u`;
    case 'signed':
      return `%${long}d`;
    case 'hex':
      return `0x%${long}x`;
    case 'symbol':
      return '%pS';
    case 'char':
      return "'%c'";
    default:
      return '\\"%s\\"';
  }
}
