import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseBtf } from '../../src/btf/index.js';
import { encodePerfEventAttr, PERF_EVENT_FLAGS, perfEventAttr } from '../../src/perf/index.js';
import { PerfMmapPage } from '../../src/runtime/index.js';
import { describeWith } from '../oracle/describe-with.js';

const VMLINUX = '/sys/kernel/btf/vmlinux';

describeWith(
  'the live kernel’s BTF',
  existsSync(VMLINUX) ? { bytes: readFileSync(VMLINUX) } : { unavailable: `no ${VMLINUX}` },
  ({ bytes }) => {
    const btf = parseBtf(bytes);
    const offsetOf = (struct: string, member: string): number | undefined => {
      const type = btf.findByName(struct, 'struct');
      return type?.members.find(({ name }) => name === member)?.bitOffset;
    };

    it.each(Object.entries(PerfMmapPage))('has perf_event_mmap_page.%s at %d', (field, offset) => {
      expect(offsetOf('perf_event_mmap_page', field)).toBe(8 * offset);
    });

    it.each(PERF_EVENT_FLAGS)('has the bit of perf_event_attr.%s where it is encoded', (flag) => {
      const bytesOfFlag = encodePerfEventAttr(perfEventAttr({ flags: [flag] }));
      const word = new DataView(bytesOfFlag.buffer).getBigUint64(40, true);
      expect(offsetOf('perf_event_attr', flag)).toBe(8 * 40 + word.toString(2).length - 1);
    });

    it.each([
      ['type', { type: 0xff }],
      ['config', { config: 0xffn }],
      ['sample_type', { sampleType: 0xff }],
      ['read_format', { readFormat: 31 }],
      ['bp_type', { bpType: 0xff }],
      ['branch_sample_type', { branchSampleType: 0xffn }],
      ['sample_regs_user', { sampleRegsUser: 0xffn }],
      ['sample_stack_user', { sampleStackUser: 0xff }],
      ['clockid', { clockid: 0xff }],
      ['sample_regs_intr', { sampleRegsIntr: 0xffn }],
      ['aux_watermark', { auxWatermark: 0xff }],
      ['sample_max_stack', { sampleMaxStack: 0xff }],
      ['aux_sample_size', { auxSampleSize: 0xff }],
      ['sig_data', { sigData: 0xffn }],
      ['config3', { config3: 0xffn }],
    ] as const)('has perf_event_attr.%s where it is encoded', (field, set) => {
      const encoded = encodePerfEventAttr(perfEventAttr(set));
      const size = encoded.slice(4, 8);
      encoded.fill(0, 4, 8);
      expect(size[0]).toBe(136);
      expect(offsetOf('perf_event_attr', field)).toBe(8 * encoded.findIndex((byte) => byte !== 0));
    });
  },
);
