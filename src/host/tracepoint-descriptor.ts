import type { HostMemory } from './host.js';

/** One argument of TP_PROTO. */
export interface TracepointArg {
  readonly name: string;
  /** C type as in the prototype, e.g. `struct task_struct *`. */
  readonly type: string;
}

/** A static tracepoint of the host: what raw tracepoints attach to. */
export interface TracepointDescriptor {
  /** Name of the tracepoint, e.g. `sched_switch`, `sys_enter`. */
  readonly name: string;
  readonly args: readonly TracepointArg[];
  /** Bytes of the first argument a BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE program may write; 0 for none. */
  readonly writableSize: number;
  /** The trace events fed by it; most tracepoints have one, sys_enter has one per system call. */
  readonly events: readonly TraceEventDescriptor[];
}

/** One field of a trace record, in the terms of tracefs' `format` file. */
export interface TraceField {
  readonly name: string;
  /** C type text as printed in `format`, array bounds excluded: `char`, `unsigned long`, `__data_loc char[]`. */
  readonly type: string;
  /** Elements, for a fixed array; 0 otherwise. */
  readonly arrayLength: number;
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
  /** `format` shows the array without its bounds (`u8 x[]`), as Linux does for arrays of probe events. */
  readonly hidesBounds?: boolean;
}

/** A trace event: the record laid out from the arguments of its tracepoint. */
export interface TraceEventDescriptor {
  /** Subsystem, e.g. `sched`. */
  readonly system: string;
  readonly name: string;
  /** Fields after the 8-byte common header, in record order. */
  readonly fields: readonly TraceField[];
  /** Bytes of the fixed part, common header included. */
  readonly size: number;
  /** The `print fmt:` expression of the `format` file. */
  readonly printFmt: string;
  /** Whether this hit is one of the event's (sys_enter_openat takes only hits with its number); absent: always. */
  readonly accepts?: (args: Int32Array) => boolean;
  /** TP_fast_assign: fills the fields. The record is zeroed before, its common header is the registry's. */
  readonly assign: (args: Int32Array, record: TraceRecord, memory: HostMemory) => void;
}

/** A record under construction. `data` is at least `size` bytes and `length` grows with dynamic data. */
export interface TraceRecord {
  readonly data: Uint8Array;
  /** The memory of `data` in other units, for fields at their natural alignment. */
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  /** Byte offset of the record in `data`, a multiple of 16. */
  readonly start: number;
  length: number;
}
