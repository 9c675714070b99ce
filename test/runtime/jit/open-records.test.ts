import { describe, expect, it } from 'vitest';
import { BpfFuncId, BpfMapType, BpfProgType, BpfPseudo } from '../../../src/base/index.js';
import { MAX_RECORDS } from '../../../src/runtime/cpu-block.js';
import { BpfRuntime, createInterpreter, createJit, type Insn, RingBufferMap } from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { instance } from '../../support/instance.js';
import { TestHost } from '../../support/test-host.js';

const { BPF_FUNC_ringbuf_reserve, BPF_FUNC_ringbuf_submit, BPF_FUNC_ringbuf_discard } = BpfFuncId;
const RECORDS = MAX_RECORDS + 3;

/** Reserves 16 bytes of a ring of the program's; NULL ends it with 1. */
function reserve(ring: number): Insn[] {
  return [
    ...isa.ldImm64(1, BigInt(ring), BpfPseudo.BPF_PSEUDO_MAP_FD),
    isa.mov64Imm(2, 16),
    isa.mov64Imm(3, 0),
    isa.call(BPF_FUNC_ringbuf_reserve),
    isa.jmpImm(isa.BPF_JNE, 0, 0, 2),
    isa.mov64Imm(0, 1),
    isa.exit(),
  ];
}

/** Commits the record that a place of the frame points to. */
function commit(place: number, helper: number): Insn[] {
  return [isa.ldx(isa.BPF_DW, 1, 10, place), isa.mov64Imm(2, 0), isa.call(helper)];
}

const place = (i: number): number => -8 * (i + 1);
const all = Array.from({ length: RECORDS }, (_, i) => i);
const end = [isa.mov64Imm(0, 0), isa.exit()];

/** A record of the second ring where the jump over the first is taken: for 0. */
function ofOneRing(jump: number): Insn[] {
  return [
    isa.ldx(isa.BPF_W, 6, 1, 12),
    isa.jmpImm(jump, 6, 0, 9),
    ...reserve(0),
    isa.jmpImm(isa.BPF_JNE, 0, 0, 8),
    ...reserve(1),
    isa.stx(isa.BPF_DW, 10, 0, -8),
    ...commit(-8, BPF_FUNC_ringbuf_submit),
    ...end,
  ];
}

const cases: readonly { readonly name: string; readonly insns: readonly Insn[] }[] = [
  {
    name: 'more than the table of the CPU holds, committed in another order',
    insns: [
      ...all.flatMap((i) => [...reserve(0), isa.st(isa.BPF_DW, 0, 0, i), isa.stx(isa.BPF_DW, 10, 0, place(i))]),
      ...all
        .toReversed()
        .flatMap((i) => commit(place(i), i % 3 === 0 ? BPF_FUNC_ringbuf_discard : BPF_FUNC_ringbuf_submit)),
      ...end,
    ],
  },
  { name: 'of the first of two rings, which only the run tells', insns: ofOneRing(isa.BPF_JNE) },
  { name: 'of the second of two rings', insns: ofOneRing(isa.BPF_JEQ) },
  { name: 'left open', insns: [...all.flatMap(() => reserve(0)), ...end] },
  {
    name: 'committed twice',
    insns: [
      ...reserve(0),
      isa.stx(isa.BPF_DW, 10, 0, -8),
      ...commit(-8, BPF_FUNC_ringbuf_submit),
      ...commit(-8, BPF_FUNC_ringbuf_submit),
      ...end,
    ],
  },
  {
    name: 'written after their commit',
    insns: [
      ...reserve(0),
      isa.stx(isa.BPF_DW, 10, 0, -8),
      ...commit(-8, BPF_FUNC_ringbuf_submit),
      isa.ldx(isa.BPF_DW, 1, 10, -8),
      isa.st(isa.BPF_DW, 1, 0, 1),
      ...end,
    ],
  },
];

describe('records of compiled programs end as those of interpreted ones', () => {
  it.each(cases)('$name', ({ insns }) => {
    const [interpreted, compiled] = [createInterpreter(), createJit()].map((engine) => {
      const runtime = new BpfRuntime(new TestHost({ cpus: 2 }), { engine });
      const spec = { type: BpfMapType.BPF_MAP_TYPE_RINGBUF, keySize: 0, valueSize: 0, maxEntries: 4096 };
      const maps = ['one', 'other'].map((name) =>
        instance(runtime.createMap({ ...spec, name, flags: 0, keyTypeId: 0, valueTypeId: 0 }), RingBufferMap),
      );
      const type = BpfProgType.BPF_PROG_TYPE_XDP;
      const program = runtime.loadProgram({ name: 'p', type, expectedAttachType: 0, license: 'GPL', insns, maps });
      const ends: unknown[] = [];
      for (let run = 0; run < 3; run++) {
        try {
          ends.push(runtime.testRun(program, { dataIn: new Uint8Array(64), cpu: 1 }).retval);
        } catch (error) {
          ends.push(String(error));
        }
      }
      const areas = maps.map(({ area }) => {
        const bytes = Buffer.from(runtime.memory.u8.subarray(area.address + 12288, area.address + 12288 + 4096));
        return [area.counts, area.producer, bytes.toString('hex')];
      });
      return { ends, areas };
    });
    expect(compiled).toEqual(interpreted);
  });
});
