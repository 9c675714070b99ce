import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfError, PerfEventSampleFormat as F } from '../../src/base/index.js';
import {
  decodePerfRecord,
  encodePerfEventAttr,
  encodePerfRecord,
  parsePerfEventAttr,
  PERF_ATTR_SIZES,
  PERF_EVENT_FLAGS,
  perfEventAttr,
  type PerfRecord,
  type PerfRecordFormat,
} from '../../src/perf/index.js';

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const u32 = fc.nat({ max: 0xffff_ffff });
const BITS = [
  F.PERF_SAMPLE_IP,
  F.PERF_SAMPLE_TID,
  F.PERF_SAMPLE_TIME,
  F.PERF_SAMPLE_ADDR,
  F.PERF_SAMPLE_READ,
  F.PERF_SAMPLE_CALLCHAIN,
  F.PERF_SAMPLE_ID,
  F.PERF_SAMPLE_CPU,
  F.PERF_SAMPLE_PERIOD,
  F.PERF_SAMPLE_STREAM_ID,
  F.PERF_SAMPLE_RAW,
  F.PERF_SAMPLE_IDENTIFIER,
] as const;
const format: fc.Arbitrary<PerfRecordFormat> = fc.record({
  sampleType: fc.subarray([...BITS]).map((bits) => bits.reduce((all, bit) => all | bit, 0)),
  readFormat: fc.constantFrom(0, 1, 2, 3, 4, 7, 16, 23),
  sampleIdAll: fc.boolean(),
});
const misc = fc.nat({ max: 0xffff });
const text = fc.stringMatching(/^[ -~é]{0,20}$/);
const base = { misc };
const record: fc.Arbitrary<PerfRecord> = fc.oneof(
  fc.record({
    type: fc.constant('sample' as const),
    ...base,
    ip: u64,
    pid: u32,
    tid: u32,
    time: u64,
    addr: u64,
    id: u64,
    streamId: u64,
    cpu: u32,
    period: u64,
    read: fc.record({ value: u64, timeEnabled: u64, timeRunning: u64, id: u64, lost: u64 }),
    callchain: fc.array(u64, { maxLength: 20 }),
    raw: fc.uint8Array({ maxLength: 60 }),
  }),
  fc.record({ type: fc.constant('lost' as const), ...base, id: u64, lost: u64 }),
  fc.record({ type: fc.constant('comm' as const), ...base, pid: u32, tid: u32, comm: text }),
  fc.record({
    type: fc.constantFrom('fork' as const, 'exit' as const),
    ...base,
    pid: u32,
    ppid: u32,
    tid: u32,
    ptid: u32,
    time: u64,
  }),
  fc.record({
    type: fc.constantFrom('throttle' as const, 'unthrottle' as const),
    ...base,
    time: u64,
    id: u64,
    streamId: u64,
  }),
  fc.record({
    type: fc.constant('mmap2' as const),
    ...base,
    pid: u32,
    tid: u32,
    addr: u64,
    len: u64,
    pgoff: u64,
    maj: u32,
    min: u32,
    ino: u64,
    inoGeneration: u64,
    prot: u32,
    flags: u32,
    filename: text,
  }),
);

describe('perf records', () => {
  it('encoded, decoded and encoded again have the same bytes, a multiple of 8 of them', () => {
    fc.assert(
      fc.property(record, format, (value, layout) => {
        const bytes = encodePerfRecord(value, layout);
        expect(bytes.length % 8).toBe(0);
        expect(new DataView(bytes.buffer).getUint16(6, true)).toBe(bytes.length);
        expect(encodePerfRecord(decodePerfRecord(bytes, layout), layout)).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('of any bytes decode or are refused with a BpfError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat({ max: 12 }), format, (bytes, type, layout) => {
        if (bytes.length > 0) bytes.set([type, 0, 0, 0].slice(0, bytes.length));
        try {
          decodePerfRecord(bytes, layout);
        } catch (error) {
          expect(error).toBeInstanceOf(BpfError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('struct perf_event_attr', () => {
  it('comes back from its bytes', () => {
    const attr = fc.record({
      type: u32,
      config: u64,
      samplePeriod: u64,
      sampleType: fc.nat({ max: (1 << 25) - 1 }),
      readFormat: fc.nat({ max: 31 }),
      flags: fc.subarray([...PERF_EVENT_FLAGS]),
      preciseIp: fc.nat({ max: 3 }),
      wakeup: u32,
      bpType: u32,
      config1: u64,
      config2: u64,
      branchSampleType: u64,
      sampleRegsUser: u64,
      sampleStackUser: u32,
      clockid: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      sampleRegsIntr: u64,
      auxWatermark: u32,
      sampleMaxStack: fc.nat({ max: 0xffff }),
      auxSampleSize: u32,
      auxAction: fc.nat({ max: 7 }),
      sigData: u64,
      config3: u64,
    });
    fc.assert(
      fc.property(attr, (fields) => {
        const value = perfEventAttr(fields);
        expect(parsePerfEventAttr(encodePerfEventAttr(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('of any bytes parses or is refused with a BpfError', () => {
    const size = fc.oneof(fc.constantFrom(0, ...PERF_ATTR_SIZES), u32);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 200 }), size, (bytes, claimed) => {
        if (bytes.length >= 8) new DataView(bytes.buffer).setUint32(4, claimed, true);
        try {
          parsePerfEventAttr(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(BpfError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
