import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { PERF_EVENT_FLAGS } from '../../src/perf/perf-event-flags.js';
import {
  encodePerfEventAttr,
  parsePerfEventAttr,
  PERF_ATTR_SIZE,
  PERF_ATTR_SIZES,
  perfEventAttr,
} from '../../src/perf/perf-event-attr.js';

const sized = (size: number, set: Record<number, number> = {}): Uint8Array => {
  const bytes = new Uint8Array(5000);
  new DataView(bytes.buffer).setUint32(4, size, true);
  for (const [offset, value] of Object.entries(set)) bytes[Number(offset)] = value;
  return bytes;
};

const outcome = (bytes: Uint8Array): string => {
  try {
    parsePerfEventAttr(bytes);
    return 'ok';
  } catch (error) {
    return error instanceof BpfError ? error.code : String(error);
  }
};

describe('struct perf_event_attr', () => {
  it.each(PERF_ATTR_SIZES)('of %i bytes comes back as it was written', (size) => {
    const attr = perfEventAttr({
      type: 1,
      config: 0xffff_ffff_ffff_fffen,
      samplePeriod: 1n << 62n,
      sampleType: 0x1ff_ffff,
      readFormat: 31,
      flags: ['disabled', 'freq', 'watermark', 'mmap_data', 'sample_id_all', 'sigtrap', 'remove_on_exec'],
      preciseIp: 2,
      wakeup: 7,
      bpType: 3,
      config1: 5n,
      ...(size >= 72 ? { config2: 6n } : {}),
      ...(size >= 80 ? { branchSampleType: 1n << 63n } : {}),
      ...(size >= 96 ? { clockid: -3, sampleStackUser: 16 } : {}),
      ...(size >= 112 ? { sampleMaxStack: 127 } : {}),
      ...(size >= 136 ? { config3: 9n } : {}),
    });
    expect(parsePerfEventAttr(encodePerfEventAttr(attr, size))).toEqual(attr);
  });

  it('keeps every flag at its bit', () => {
    const bits = PERF_EVENT_FLAGS.map((flag) => {
      const bytes = encodePerfEventAttr(perfEventAttr({ flags: [flag] }));
      return new DataView(bytes.buffer).getBigUint64(40, true).toString(2).length - 1;
    });
    expect(bits).toEqual([...Array(15).keys(), ...Array.from({ length: 21 }, (_, i) => i + 17)]);
  });

  it.each([
    ['size 0 is VER0', sized(0), 'ok'],
    ['size below VER0', sized(63), 'E2BIG'],
    ['size of a page', sized(4096), 'ok'],
    ['size above a page', sized(4097), 'E2BIG'],
    ['a size between two versions', sized(65), 'ok'],
    ['zeros after the known fields', sized(200), 'ok'],
    ['something after the known fields', sized(200, { 199: 1 }), 'E2BIG'],
    ['something after the given size is not looked at', sized(136, { 140: 1 }), 'ok'],
    ['a reserved flag', sized(64, { 44: 0x40 }), 'EINVAL'],
    ['the highest flag', sized(64, { 44: 0x20 }), 'ok'],
    ['__reserved_2', sized(112, { 110: 1 }), 'EINVAL'],
    ['aux_action above its three bits', sized(136, { 116: 8 }), 'EINVAL'],
    ['a sample type bit too high', sized(64, { 27: 2 }), 'EINVAL'],
    ['a read format bit too high', sized(64, { 32: 32 }), 'EINVAL'],
    ['fewer bytes than size says', sized(136).subarray(0, 100), 'EFAULT'],
    ['no room for size itself', new Uint8Array(7), 'EFAULT'],
  ])('%s', (_, bytes, expected) => {
    expect(outcome(bytes)).toBe(expected);
  });

  it('names the size it knows when the caller knows more', () => {
    expect(() => parsePerfEventAttr(sized(200, { 199: 1 }))).toThrow(
      `perf_event_attr sets fields beyond the known ones [section perf_event_attr, offset 4 (0x4), value 200]: E2BIG; the newest known size is ${PERF_ATTR_SIZE}`,
    );
  });

  it('refuses to cut off fields when it encodes', () => {
    expect(() => encodePerfEventAttr(perfEventAttr({ config3: 1n }), 128)).toThrow(RangeError);
    expect(() => encodePerfEventAttr(perfEventAttr({}), 100)).toThrow(RangeError);
  });
});
