import type { HostMemory, TraceEventDescriptor, TraceRecord } from '../../index.js';
import type { KernelLayout } from '../kernel-layout.js';
import { layoutFields, put32, putPair, putText, recordSize } from './event-builder.js';
import { type Pair, readMember, readText } from './struct-reader.js';

/** A value of a hit; a number is widened with its sign. */
export type Value = (args: Int32Array, memory: HostMemory) => number | Pair;

/** A place in kernel memory that a hit leads to. */
export type Place = (args: Int32Array, memory: HostMemory) => Pair;

/** Fills one field of a record: `offset` from its start, `size` bytes. */
export type Filler = (record: TraceRecord, offset: number, size: number, args: Int32Array, memory: HostMemory) => void;

/** A field as in C, and what fills it. */
export type FieldSpec = readonly [declaration: string, filler: Filler];

/** A trace event from its fields and what fills each. */
export function fieldEvent(
  system: string,
  name: string,
  printFmt: string,
  specs: readonly FieldSpec[],
): TraceEventDescriptor {
  const fields = layoutFields(specs.map(([declaration]) => declaration));
  const fillers = specs.map(([, filler]) => filler);
  return {
    system,
    name,
    fields,
    size: recordSize(fields),
    printFmt,
    assign: (args, record, memory) => {
      for (let i = 0; i < fillers.length; i++) {
        const { offset, size } = fields[i];
        fillers[i](record, offset, size, args, memory);
      }
    },
  };
}

/** The value, cut or widened to the field. */
export function value(of: Value): Filler {
  return (record, offset, size, args, memory) => put(record, offset, size, of(args, memory));
}

/** An argument of the tracepoint. */
export function arg(index: number): Filler {
  return (record, offset, size, args) => {
    if (size === 8) putPair(record, offset, args[2 * index], args[2 * index + 1]);
    else put(record, offset, size, args[2 * index]);
  };
}

export const constant = (number: number): Filler => value(() => number);

/** Text at an address, behind the fixed part of the record. */
export function text(at: Place): Filler {
  return (record, offset, _size, args, memory) => putText(record, offset, readText(memory, at(args, memory)));
}

/** As many bytes as the field has, from an address. */
export function bytes(at: Place): Filler {
  return (record, offset, size, args, memory) => {
    const { lo, hi } = at(args, memory);
    memory.readKernel(lo, hi, record.data, record.start + offset, size);
  };
}

/** Text at an address in a field of fixed size, ended by NUL. */
export function chars(at: Place): Filler {
  return (record, offset, size, args, memory) => {
    record.data.set(readText(memory, at(args, memory)).subarray(0, size - 1), record.start + offset);
  };
}

function put(record: TraceRecord, offset: number, size: number, of: number | Pair): void {
  const lo = typeof of === 'number' ? of : of.lo;
  if (size === 8) putPair(record, offset, lo, typeof of === 'number' ? of >> 31 : of.hi);
  else if (size === 4) put32(record, offset, lo);
  else if (size === 2) record.u16[(record.start + offset) >> 1] = lo;
  else record.data[record.start + offset] = lo;
}

/** What the events read from the kernel's structs. A step is `struct.member`; all but the last are pointers. */
export class Members {
  readonly #layout: KernelLayout;

  constructor(layout: KernelLayout) {
    this.#layout = layout;
  }

  /** The address of a member of what argument `index` points to. */
  place(index: number, ...steps: readonly string[]): Place {
    return this.follow((args) => ({ lo: args[2 * index], hi: args[2 * index + 1] }), ...steps);
  }

  /** The address of a member of what is at `from`. */
  follow(from: Place, ...steps: readonly string[]): Place {
    const offsets = steps.map((step) => this.#member(step).offset);
    return (args, memory) => {
      let at = from(args, memory);
      for (let i = 0; i < offsets.length; i++) {
        if (i > 0) at = readMember(memory, at, 0, 8);
        at = plus(at, offsets[i]);
      }
      return at;
    };
  }

  /** The value of a member of what argument `index` points to. */
  read(index: number, ...steps: readonly string[]): (args: Int32Array, memory: HostMemory) => Pair {
    const place = this.place(index, ...steps);
    const { size } = this.#member(steps.at(-1) ?? '');
    return (args, memory) => readMember(memory, place(args, memory), 0, size);
  }

  /** A member of what argument `index` points to, as a field. */
  field(index: number, ...steps: readonly string[]): Filler {
    return value(this.read(index, ...steps));
  }

  /** The bytes of an array that is a member. */
  array(index: number, ...steps: readonly string[]): Filler {
    return bytes(this.place(index, ...steps));
  }

  #member(step: string): { readonly offset: number; readonly size: number } {
    const dot = step.indexOf('.');
    return this.#layout.member(step.slice(0, dot), step.slice(dot + 1));
  }
}

export function plus({ lo, hi }: Pair, offset: number): Pair {
  const sum = (lo >>> 0) + offset;
  return { lo: sum | 0, hi: sum > 0xffff_ffff ? (hi + 1) | 0 : hi };
}
