/** Values of PERF_SAMPLE_READ and of read(2) on an event, as the read format asks for them. */
export interface PerfReadValues {
  readonly value: bigint;
  readonly timeEnabled?: bigint;
  readonly timeRunning?: bigint;
  readonly id?: bigint;
  readonly lost?: bigint;
}

/** What `sample_id_all` puts at the end of every record that is no sample, and at the head of samples. */
export interface PerfSampleId {
  readonly pid?: number;
  readonly tid?: number;
  readonly time?: bigint;
  /** Both PERF_SAMPLE_ID and PERF_SAMPLE_IDENTIFIER. */
  readonly id?: bigint;
  readonly streamId?: bigint;
  readonly cpu?: number;
}

/** PERF_RECORD_SAMPLE: the fields that the event's sample type asks for. */
export interface PerfSample extends PerfSampleId {
  readonly type: 'sample';
  /** PERF_RECORD_MISC_*: the low three bits say whether kernel (1) or user code (2) was interrupted. */
  readonly misc: number;
  readonly ip?: bigint;
  readonly addr?: bigint;
  readonly period?: bigint;
  readonly read?: PerfReadValues;
  /** Innermost first, with PERF_CONTEXT_KERNEL and PERF_CONTEXT_USER in front of each part. */
  readonly callchain?: readonly bigint[];
  /** Raw data with the padding that Linux counts in its size. */
  readonly raw?: Uint8Array;
}

interface RecordBase {
  readonly misc: number;
  /** Present where the event has `sample_id_all`. */
  readonly sampleId?: PerfSampleId;
}

/** PERF_RECORD_LOST: so many records did not fit into the ring before the record that follows. */
export interface PerfLost extends RecordBase {
  readonly type: 'lost';
  readonly id: bigint;
  readonly lost: bigint;
}

export interface PerfComm extends RecordBase {
  readonly type: 'comm';
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
}

export interface PerfTask extends RecordBase {
  readonly type: 'fork' | 'exit';
  readonly pid: number;
  readonly ppid: number;
  readonly tid: number;
  readonly ptid: number;
  readonly time: bigint;
}

export interface PerfMmap2 extends RecordBase {
  readonly type: 'mmap2';
  readonly pid: number;
  readonly tid: number;
  readonly addr: bigint;
  readonly len: bigint;
  readonly pgoff: bigint;
  readonly maj: number;
  readonly min: number;
  readonly ino: bigint;
  readonly inoGeneration: bigint;
  readonly prot: number;
  readonly flags: number;
  readonly filename: string;
}

export interface PerfThrottle extends RecordBase {
  readonly type: 'throttle' | 'unthrottle';
  readonly time: bigint;
  readonly id: bigint;
  readonly streamId: bigint;
}

/** A record of a type that is not decoded here, header included. */
export interface PerfOtherRecord {
  readonly type: 'other';
  /** PERF_RECORD_* number. */
  readonly recordType: number;
  readonly misc: number;
  readonly bytes: Uint8Array;
}

/** A record with a layout of its own besides the sample's. */
export type PerfSideRecord = PerfLost | PerfComm | PerfTask | PerfMmap2 | PerfThrottle;

export type PerfRecord = PerfSample | PerfSideRecord | PerfOtherRecord;

/** The parts of `struct perf_event_attr` that say how an event's records are laid out. */
export interface PerfRecordFormat {
  /** PERF_SAMPLE_* bits. */
  readonly sampleType: number;
  /** PERF_FORMAT_* bits. */
  readonly readFormat: number;
  readonly sampleIdAll: boolean;
}

/** perf_event_header.misc: which code the record is about. */
export const PERF_RECORD_MISC_KERNEL = 1;
export const PERF_RECORD_MISC_USER = 2;

/** Markers in a callchain (enum perf_callchain_context). */
export const PERF_CONTEXT_KERNEL = 0xffff_ffff_ffff_ff80n;
export const PERF_CONTEXT_USER = 0xffff_ffff_ffff_fe00n;

/** sizeof(struct perf_event_header) */
export const PERF_RECORD_HEADER_SIZE = 8;
