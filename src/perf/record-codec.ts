import { PerfEventType } from '../base/index.js';
import type { PerfRecord, PerfRecordFormat, PerfSideRecord } from './perf-record.js';
import { RecordReader, RecordWriter } from './record-cursor.js';
import { decodeSample, decodeSampleId, encodeSample, encodeSampleId } from './sample-codec.js';

type FieldKind = 'u32' | 'u64' | 'string';
type Layout = readonly (readonly [string, FieldKind])[];

const COMM: Layout = [
  ['pid', 'u32'],
  ['tid', 'u32'],
  ['comm', 'string'],
];
const TASK: Layout = [
  ['pid', 'u32'],
  ['ppid', 'u32'],
  ['tid', 'u32'],
  ['ptid', 'u32'],
  ['time', 'u64'],
];
const THROTTLE: Layout = [
  ['time', 'u64'],
  ['id', 'u64'],
  ['streamId', 'u64'],
];

/** Records other than samples: number, name and fields after the header. */
const SIDE_RECORDS: readonly { readonly number: number; readonly type: PerfSideRecord['type']; readonly layout: Layout }[] = [
  {
    number: PerfEventType.PERF_RECORD_LOST,
    type: 'lost',
    layout: [
      ['id', 'u64'],
      ['lost', 'u64'],
    ],
  },
  { number: PerfEventType.PERF_RECORD_COMM, type: 'comm', layout: COMM },
  { number: PerfEventType.PERF_RECORD_EXIT, type: 'exit', layout: TASK },
  { number: PerfEventType.PERF_RECORD_FORK, type: 'fork', layout: TASK },
  { number: PerfEventType.PERF_RECORD_THROTTLE, type: 'throttle', layout: THROTTLE },
  { number: PerfEventType.PERF_RECORD_UNTHROTTLE, type: 'unthrottle', layout: THROTTLE },
  {
    number: PerfEventType.PERF_RECORD_MMAP2,
    type: 'mmap2',
    layout: [
      ['pid', 'u32'],
      ['tid', 'u32'],
      ['addr', 'u64'],
      ['len', 'u64'],
      ['pgoff', 'u64'],
      ['maj', 'u32'],
      ['min', 'u32'],
      ['ino', 'u64'],
      ['inoGeneration', 'u64'],
      ['prot', 'u32'],
      ['flags', 'u32'],
      ['filename', 'string'],
    ],
  },
];

/**
 * Decodes one record, header included, of an event of the given format. Bytes are copied. A record too
 * short for its fields is an EINVAL `BpfError`; unknown types come back as `other`.
 */
export function decodePerfRecord(bytes: Uint8Array, format: PerfRecordFormat): PerfRecord {
  const from = new RecordReader(bytes);
  const number = from.recordType;
  if (number === PerfEventType.PERF_RECORD_SAMPLE) return decodeSample(from, format);
  const side = SIDE_RECORDS.find((record) => record.number === number);
  if (side === undefined) return { type: 'other', recordType: number, misc: from.misc, bytes: bytes.slice() };
  const record: Record<string, unknown> = { type: side.type, misc: from.misc };
  for (const [name, kind] of side.layout) record[name] = readField(from, kind);
  if (format.sampleIdAll) record['sampleId'] = decodeSampleId(from, format);
  return record as unknown as PerfSideRecord;
}

/** The bytes of one record, header included. */
export function encodePerfRecord(record: PerfRecord, format: PerfRecordFormat): Uint8Array {
  const to = new RecordWriter();
  if (record.type === 'other') return record.bytes.slice();
  const size = record.type === 'sample' ? encodeSample(to, record, format) : encodeSide(to, record, format);
  return to.bytes.slice(0, size);
}

/** Encodes a record that is no sample into `to.bytes` and returns its size. */
export function encodeSide(to: RecordWriter, record: PerfSideRecord, format: PerfRecordFormat): number {
  const side = SIDE_RECORDS.find(({ type }) => type === record.type) as (typeof SIDE_RECORDS)[number];
  const fields = record as unknown as Readonly<Record<string, unknown>>;
  to.begin(side.number, record.misc);
  for (const [name, kind] of side.layout) writeField(to, kind, fields[name]);
  if (format.sampleIdAll) encodeSampleId(to, record.sampleId ?? {}, format);
  return to.end();
}

function readField(from: RecordReader, kind: FieldKind): unknown {
  if (kind === 'u32') return from.u32();
  return kind === 'u64' ? from.u64() : from.paddedString();
}

function writeField(to: RecordWriter, kind: FieldKind, value: unknown): void {
  if (kind === 'u32') to.u32(value as number);
  else if (kind === 'u64') to.u64(value as bigint);
  else to.paddedString(value as string);
}
