import { describe, expect, it } from 'vitest';
import { parsePerfEventAttr } from '../../src/perf/perf-event-attr.js';
import type { PerfRecord, PerfRecordFormat } from '../../src/perf/perf-record.js';
import { decodePerfRecord, encodePerfRecord } from '../../src/perf/record-codec.js';
import { rawSize } from '../../src/perf/sample-codec.js';
import { fromHex, loadLinuxGolden, streamOf, toHex, type GoldenStream } from './linux-golden.js';

const golden = loadLinuxGolden();

const formatOf = (stream: GoldenStream): PerfRecordFormat => {
  const attr = parsePerfEventAttr(stream.attr);
  return { sampleType: attr.sampleType, readFormat: attr.readFormat, sampleIdAll: attr.flags.has('sample_id_all') };
};

const decoded = (name: string): PerfRecord[] => {
  const stream = streamOf(golden, name);
  return stream.records.map((record) => decodePerfRecord(record, formatOf(stream)));
};

describe('perf records written by Linux', () => {
  it.each([...golden.streams.keys()])('%s: decoded and encoded again, every byte is the same', (name) => {
    const stream = streamOf(golden, name);
    const format = formatOf(stream);
    const again = stream.records.map((record) => toHex(encodePerfRecord(decodePerfRecord(record, format), format)));
    expect(again).toEqual(stream.records.map((record) => toHex(record)));
    expect(again.length).toBeGreaterThan(0);
  });

  it('samples of bpf_perf_event_output are padded, and the size counts the padding', () => {
    const stream = streamOf(golden, 'output-sizes');
    const sizes = decoded('output-sizes').map((record) => (record.type === 'sample' ? record.raw?.length : -1));
    expect(sizes).toEqual(stream.outputs.map(({ size }) => rawSize(size)));
  });

  it('records that did not fit are told of before the next one that does', () => {
    const stream = streamOf(golden, 'output-overflow');
    const failed = stream.outputs.filter(({ result }) => result === -28).length;
    const records = decoded('output-overflow');
    expect(records.at(-2)).toMatchObject({ type: 'lost', lost: BigInt(failed), sampleId: { cpu: 0 } });
    expect(records.filter(({ type }) => type === 'sample')).toHaveLength(stream.outputs.length - failed);
  });

  it('task records tell of renames, text mappings, fork and exit', () => {
    const records = decoded('tasks');
    expect(records.map(({ type }) => type)).toEqual(['comm', 'comm', 'mmap2', 'fork', 'exit']);
    const [renamed, longest, text, fork, exit] = records;
    expect(renamed).toMatchObject({ comm: 'renamed', misc: 0 });
    expect(longest).toMatchObject({ comm: 'fifteen-bytes-x' });
    expect(text).toMatchObject({
      filename: '/memfd:text (deleted)',
      len: 4096n,
      pgoff: 4096n,
      prot: 5,
      flags: 2,
      misc: 2,
    });
    if (text?.type !== 'mmap2' || exit?.type !== 'exit') throw new Error('other records than expected');
    expect(fork).toMatchObject({ ppid: text.pid, pid: exit.pid });
  });

  it('clock samples carry their callchain behind context markers', () => {
    const [sample] = decoded('clock-all');
    expect(sample).toMatchObject({ type: 'sample', misc: 2, period: 2_000_000n, raw: new Uint8Array(4), cpu: 0 });
    if (sample?.type !== 'sample') throw new Error('not a sample');
    expect(sample.callchain?.slice(0, 2)).toEqual([0xffff_ffff_ffff_fe00n, sample.ip]);
    expect(sample.read).toMatchObject({ id: sample.id, lost: 0n });
  });
});

describe('damaged records', () => {
  const format: PerfRecordFormat = { sampleType: 0x427, readFormat: 0, sampleIdAll: false };

  it.each([
    ['header only', '0900000001000800'],
    ['callchain longer than the record', '0900000001002800' + '00'.repeat(24) + 'ffffffffffffffff'],
    ['raw data longer than the record', '0900000001003000' + '00'.repeat(32) + 'ffffffff'],
    ['string without its end', '0300000000001800' + '00'.repeat(8) + '4141414141414141'],
  ])('%s is EINVAL', (_, hex) => {
    expect(() => decodePerfRecord(fromHex(hex), format)).toThrow('EINVAL');
  });

  it('of an unknown type come back whole', () => {
    const bytes = fromHex('63000000040010000102030405060708');
    expect(decodePerfRecord(bytes, format)).toEqual({ type: 'other', recordType: 0x63, misc: 4, bytes });
  });

  it('of a sample type with fields that are not supported are refused by name', () => {
    expect(() => decodePerfRecord(fromHex('0900000001000800'), { ...format, sampleType: 0x1000 })).toThrow('0x1000');
  });
});
