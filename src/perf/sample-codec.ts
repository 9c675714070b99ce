import { BpfError, PerfEventReadFormat, PerfEventSampleFormat, PerfEventType } from '../base/index.js';
import {
  PERF_RECORD_HEADER_SIZE,
  type PerfReadValues,
  type PerfRecordFormat,
  type PerfSample,
  type PerfSampleId,
} from './perf-record.js';
import type { RecordReader, RecordWriter } from './record-cursor.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const NOTHING = new Uint8Array(0);

/** How one PERF_SAMPLE_* bit is laid out. */
interface SampleField {
  readonly bit: number;
  read(from: RecordReader, sample: Mutable<PerfSample>, format: PerfRecordFormat): void;
  write(to: RecordWriter, sample: PerfSample, format: PerfRecordFormat): void;
}

const {
  PERF_SAMPLE_IP,
  PERF_SAMPLE_TID,
  PERF_SAMPLE_TIME,
  PERF_SAMPLE_ADDR,
  PERF_SAMPLE_READ,
  PERF_SAMPLE_CALLCHAIN,
  PERF_SAMPLE_ID,
  PERF_SAMPLE_CPU,
  PERF_SAMPLE_PERIOD,
  PERF_SAMPLE_STREAM_ID,
  PERF_SAMPLE_RAW,
  PERF_SAMPLE_IDENTIFIER,
} = PerfEventSampleFormat;

const ID: Omit<SampleField, 'bit'> = {
  read: (from, sample) => (sample.id = from.u64()),
  write: (to, sample) => to.u64(sample.id ?? 0n),
};
const TID: SampleField = {
  bit: PERF_SAMPLE_TID,
  read(from, sample) {
    sample.pid = from.u32();
    sample.tid = from.u32();
  },
  write(to, sample) {
    to.u32(sample.pid ?? 0);
    to.u32(sample.tid ?? 0);
  },
};
const TIME: SampleField = {
  bit: PERF_SAMPLE_TIME,
  read: (from, sample) => (sample.time = from.u64()),
  write: (to, sample) => to.u64(sample.time ?? 0n),
};
const STREAM_ID: SampleField = {
  bit: PERF_SAMPLE_STREAM_ID,
  read: (from, sample) => (sample.streamId = from.u64()),
  write: (to, sample) => to.u64(sample.streamId ?? 0n),
};
const CPU: SampleField = {
  bit: PERF_SAMPLE_CPU,
  read(from, sample) {
    sample.cpu = from.u32();
    from.u32();
  },
  write(to, sample) {
    to.u32(sample.cpu ?? 0);
    to.u32(0);
  },
};

/** Fields of a sample in the order of perf_output_sample() (kernel/events/core.c). */
const SAMPLE_FIELDS: readonly SampleField[] = [
  { bit: PERF_SAMPLE_IDENTIFIER, ...ID },
  {
    bit: PERF_SAMPLE_IP,
    read: (from, sample) => (sample.ip = from.u64()),
    write: (to, sample) => to.u64(sample.ip ?? 0n),
  },
  TID,
  TIME,
  {
    bit: PERF_SAMPLE_ADDR,
    read: (from, sample) => (sample.addr = from.u64()),
    write: (to, sample) => to.u64(sample.addr ?? 0n),
  },
  { bit: PERF_SAMPLE_ID, ...ID },
  STREAM_ID,
  CPU,
  {
    bit: PERF_SAMPLE_PERIOD,
    read: (from, sample) => (sample.period = from.u64()),
    write: (to, sample) => to.u64(sample.period ?? 0n),
  },
  {
    bit: PERF_SAMPLE_READ,
    read: (from, sample, format) => (sample.read = readValues(from, format.readFormat)),
    write: (to, sample, format) => writeValues(to, sample.read ?? { value: 0n }, format.readFormat),
  },
  { bit: PERF_SAMPLE_CALLCHAIN, read: readCallchain, write: writeCallchain },
  { bit: PERF_SAMPLE_RAW, read: readRaw, write: writeRaw },
];

/** The trailer of other records in the order of perf_event__output_id_sample(). */
const ID_FIELDS: readonly SampleField[] = [
  TID,
  TIME,
  { bit: PERF_SAMPLE_ID, ...ID },
  STREAM_ID,
  CPU,
  { bit: PERF_SAMPLE_IDENTIFIER, ...ID },
];

/** All PERF_SAMPLE_* bits that records can be made and read with. */
export const SUPPORTED_SAMPLE_TYPE = SAMPLE_FIELDS.reduce((bits, field) => bits | field.bit, 0);

/** Decodes PERF_RECORD_SAMPLE. A field this format cannot have is an EOPNOTSUPP `BpfError`. */
export function decodeSample(from: RecordReader, format: PerfRecordFormat): PerfSample {
  const unknown = format.sampleType & ~SUPPORTED_SAMPLE_TYPE;
  if (unknown !== 0) {
    throw new BpfError('EOPNOTSUPP', 'decoding samples with these PERF_SAMPLE_* bits', {
      value: `0x${unknown.toString(16)}`,
    });
  }
  const sample: Mutable<PerfSample> = { type: 'sample', misc: from.misc };
  for (const field of SAMPLE_FIELDS) if (format.sampleType & field.bit) field.read(from, sample, format);
  return sample;
}

/** Encodes a sample into `to.bytes` and returns the record's size. Fields not asked for are left out. */
export function encodeSample(to: RecordWriter, sample: PerfSample, format: PerfRecordFormat): number {
  to.begin(PerfEventType.PERF_RECORD_SAMPLE, sample.misc);
  for (const field of SAMPLE_FIELDS) if (format.sampleType & field.bit) field.write(to, sample, format);
  return to.end();
}

/** Encodes a sample that has raw data only: what perf event arrays carry. */
export function encodeRawSample(to: RecordWriter, misc: number, raw: Uint8Array): number {
  to.begin(PerfEventType.PERF_RECORD_SAMPLE, misc);
  putRaw(to, raw);
  return to.end();
}

export function decodeSampleId(from: RecordReader, format: PerfRecordFormat): PerfSampleId {
  const sample: Mutable<PerfSample> = { type: 'sample', misc: 0 };
  for (const field of ID_FIELDS) if (format.sampleType & field.bit) field.read(from, sample, format);
  const { type: _type, misc: _misc, ...id } = sample;
  return id;
}

export function encodeSampleId(to: RecordWriter, id: PerfSampleId, format: PerfRecordFormat): void {
  const sample: PerfSample = { type: 'sample', misc: 0, ...id };
  for (const field of ID_FIELDS) if (format.sampleType & field.bit) field.write(to, sample, format);
}

const READ_FIELDS = [
  [PerfEventReadFormat.PERF_FORMAT_TOTAL_TIME_ENABLED, 'timeEnabled'],
  [PerfEventReadFormat.PERF_FORMAT_TOTAL_TIME_RUNNING, 'timeRunning'],
  [PerfEventReadFormat.PERF_FORMAT_ID, 'id'],
  [PerfEventReadFormat.PERF_FORMAT_LOST, 'lost'],
] as const;

function readValues(from: RecordReader, readFormat: number): PerfReadValues {
  const values: Mutable<PerfReadValues> = { value: from.u64() };
  for (const [bit, name] of READ_FIELDS) if (readFormat & bit) values[name] = from.u64();
  return values;
}

function writeValues(to: RecordWriter, values: PerfReadValues, readFormat: number): void {
  to.u64(values.value);
  for (const [bit, name] of READ_FIELDS) if (readFormat & bit) to.u64(values[name] ?? 0n);
}

function readCallchain(from: RecordReader, sample: Mutable<PerfSample>): void {
  const count = from.u64();
  const chain: bigint[] = [];
  // No allocation by the unchecked count: running past the record's end stops the loop with an error.
  for (let i = 0n; i < count; i++) chain.push(from.u64());
  sample.callchain = chain;
}

function writeCallchain(to: RecordWriter, sample: PerfSample): void {
  const chain = sample.callchain ?? [];
  to.u64(BigInt(chain.length));
  for (const ip of chain) to.u64(ip);
}

function readRaw(from: RecordReader, sample: Mutable<PerfSample>): void {
  sample.raw = from.take(from.u32());
}

function writeRaw(to: RecordWriter, { raw = NOTHING }: PerfSample): void {
  putRaw(to, raw);
}

/** Linux pads so that size field and data together are a multiple of 8, and counts the padding in the size. */
function putRaw(to: RecordWriter, raw: Uint8Array): void {
  const padded = rawSize(raw.length);
  to.u32(padded);
  to.raw(raw);
  to.zeros(padded - raw.length);
}

/** What the size field of a raw part of `length` bytes says. */
export function rawSize(length: number): number {
  return ((length + 4 + 7) & ~7) - 4;
}

/** Those fields in front of the raw data that are one u64 each. */
const WORDS_BEFORE_RAW =
  PERF_SAMPLE_IDENTIFIER |
  PERF_SAMPLE_IP |
  PERF_SAMPLE_TID |
  PERF_SAMPLE_TIME |
  PERF_SAMPLE_ADDR |
  PERF_SAMPLE_ID |
  PERF_SAMPLE_STREAM_ID |
  PERF_SAMPLE_CPU |
  PERF_SAMPLE_PERIOD;

/** Where in every sample of such a type the size of its raw data is; undefined where it varies or there are none. */
export function rawOffset(sampleType: number): number | undefined {
  if ((sampleType & ~WORDS_BEFORE_RAW) !== PERF_SAMPLE_RAW) return undefined;
  let offset = PERF_RECORD_HEADER_SIZE;
  for (let bits = sampleType & WORDS_BEFORE_RAW; bits !== 0; bits &= bits - 1) offset += 8;
  return offset;
}
