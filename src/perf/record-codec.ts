import { PerfEventType } from '../base/index.js';
import type { PerfRecord, PerfRecordFormat, PerfSideRecord } from './perf-record.js';
import { RecordReader, RecordWriter } from './record-cursor.js';
import { decodeSample, decodeSampleId, encodeSample, encodeSampleId } from './sample-codec.js';

/** Numbers of the records other than samples. */
const SIDE_TYPES: Readonly<Record<PerfSideRecord['type'], number>> = {
  lost: PerfEventType.PERF_RECORD_LOST,
  comm: PerfEventType.PERF_RECORD_COMM,
  exit: PerfEventType.PERF_RECORD_EXIT,
  throttle: PerfEventType.PERF_RECORD_THROTTLE,
  unthrottle: PerfEventType.PERF_RECORD_UNTHROTTLE,
  fork: PerfEventType.PERF_RECORD_FORK,
  mmap2: PerfEventType.PERF_RECORD_MMAP2,
};

/**
 * Decodes one record, header included, of an event of the given format. Bytes are copied. A record too
 * short for its fields is an EINVAL `BpfError`; unknown types come back as `other`.
 */
export function decodePerfRecord(bytes: Uint8Array, format: PerfRecordFormat): PerfRecord {
  const from = new RecordReader(bytes);
  const { recordType, misc } = from;
  if (recordType === PerfEventType.PERF_RECORD_SAMPLE) return decodeSample(from, format);
  const record = decodeSide(from);
  if (record === undefined) return { type: 'other', recordType, misc, bytes: bytes.slice() };
  return format.sampleIdAll ? { ...record, sampleId: decodeSampleId(from, format) } : record;
}

/** The bytes of one record, header included. */
export function encodePerfRecord(record: PerfRecord, format: PerfRecordFormat): Uint8Array {
  if (record.type === 'other') return record.bytes.slice();
  const to = new RecordWriter();
  const size = record.type === 'sample' ? encodeSample(to, record, format) : encodeSide(to, record, format);
  return to.bytes.slice(0, size);
}

/** The fields in the order of their definition in include/uapi/linux/perf_event.h; undefined for an unknown type. */
function decodeSide(from: RecordReader): PerfSideRecord | undefined {
  const { misc } = from;
  switch (from.recordType) {
    case PerfEventType.PERF_RECORD_LOST:
      return { type: 'lost', misc, id: from.u64(), lost: from.u64() };
    case PerfEventType.PERF_RECORD_COMM:
      return { type: 'comm', misc, pid: from.u32(), tid: from.u32(), comm: from.paddedString() };
    case PerfEventType.PERF_RECORD_FORK:
      return { type: 'fork', ...decodeTask(from) };
    case PerfEventType.PERF_RECORD_EXIT:
      return { type: 'exit', ...decodeTask(from) };
    case PerfEventType.PERF_RECORD_THROTTLE:
      return { type: 'throttle', misc, time: from.u64(), id: from.u64(), streamId: from.u64() };
    case PerfEventType.PERF_RECORD_UNTHROTTLE:
      return { type: 'unthrottle', misc, time: from.u64(), id: from.u64(), streamId: from.u64() };
    case PerfEventType.PERF_RECORD_MMAP2:
      return decodeMmap2(from);
    default:
      return undefined;
  }
}

function decodeTask(from: RecordReader) {
  const { misc } = from;
  return { misc, pid: from.u32(), ppid: from.u32(), tid: from.u32(), ptid: from.u32(), time: from.u64() };
}

function decodeMmap2(from: RecordReader): PerfSideRecord {
  return {
    type: 'mmap2',
    misc: from.misc,
    pid: from.u32(),
    tid: from.u32(),
    addr: from.u64(),
    len: from.u64(),
    pgoff: from.u64(),
    maj: from.u32(),
    min: from.u32(),
    ino: from.u64(),
    inoGeneration: from.u64(),
    prot: from.u32(),
    flags: from.u32(),
    filename: from.paddedString(),
  };
}

/** Encodes a record that is no sample into `to.bytes` and returns its size. */
function encodeSide(to: RecordWriter, record: PerfSideRecord, format: PerfRecordFormat): number {
  to.begin(SIDE_TYPES[record.type], record.misc);
  writeFields(to, record);
  if (format.sampleIdAll) encodeSampleId(to, record.sampleId ?? {}, format);
  return to.end();
}

function writeFields(to: RecordWriter, record: PerfSideRecord): void {
  switch (record.type) {
    case 'lost':
      return to.words64(record.id, record.lost);
    case 'comm':
      to.words32(record.pid, record.tid);
      return to.paddedString(record.comm);
    case 'fork':
    case 'exit':
      to.words32(record.pid, record.ppid, record.tid, record.ptid);
      return to.u64(record.time);
    case 'throttle':
    case 'unthrottle':
      return to.words64(record.time, record.id, record.streamId);
    case 'mmap2':
      to.words32(record.pid, record.tid);
      to.words64(record.addr, record.len, record.pgoff);
      to.words32(record.maj, record.min);
      to.words64(record.ino, record.inoGeneration);
      to.words32(record.prot, record.flags);
      return to.paddedString(record.filename);
  }
}
