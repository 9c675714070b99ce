import { describe, expect, it, test } from 'vitest';
import { BpfMapType, BpfProgType, hex64 } from '../../../src/base/index.js';
import { encodeInsns, runPlugin, type Insn } from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { readGolden, recording, writeGolden } from '../../oracle/golden.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { caseForms, instructionCases, MEMORY } from './instruction-cases.js';

/** Lines of `case, program, r0`, made by the kernel with KSCOPE_RECORD=1. r1 points to MEMORY, r2 is its length. */
const goldenPath = new URL('../../testdata/runtime/interp/instructions.txt', import.meta.url);

describe('every instruction returns what the kernel returned', () => {
  const rows = recording() ? [] : readGolden(goldenPath).lines.map((line) => line.split('\t'));
  const forms = new Map<string, string[][]>();
  for (const row of rows) {
    const form = row[0].split(' ')[0];
    forms.set(form, [...(forms.get(form) ?? []), row]);
  }

  test.skipIf(recording()).each([...forms])('%s', (_form, cases) => {
    const actual = cases.map(([name, program]) => {
      return `${name}\t${program}\t${hex64(runPlugin(Buffer.from(program, 'hex'), { memory: MEMORY }))}`;
    });
    expect(actual).toEqual(cases.map((row) => row.join('\t')));
  });

  it.skipIf(recording())('has every form', () => {
    expect(caseForms.map(({ name }) => name).filter((name) => !forms.has(name))).toEqual([]);
  });
});

describeWithLinux('instructions', (linux) => {
  it('agree with the kernel that runs here', async () => {
    const map = linux.slot();
    await linux.mapCreate(map, { type: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 64, maxEntries: 1 });
    const lines = await Promise.all(
      instructionCases.map(async ({ name, insns }) => {
        const program = Buffer.from(encodeInsns(insns)).toString('hex');
        return `${name}\t${program}\t${hex64(await kernelResult(map, insns))}`;
      }),
    );
    if (recording()) writeGolden(goldenPath, { release: linux.release, lines });
    expect(lines).toEqual(readGolden(goldenPath).lines);
  });

  /** The case becomes a subprogram: its caller hands it the map's memory and keeps all 64 bits of r0. */
  async function kernelResult(map: number, insns: readonly Insn[]): Promise<bigint> {
    const RESULT = MEMORY.length;
    const caller = [
      ...isa.ldImm64(1, BigInt(map), 2),
      isa.mov64Imm(2, MEMORY.length),
      isa.callSubprog(5),
      ...isa.ldImm64(1, (BigInt(RESULT) << 32n) | BigInt(map), 2),
      isa.stx(isa.BPF_DW, 1, 0, 0),
      isa.mov64Imm(0, 0),
      isa.exit(),
    ];
    const slot = linux.slot();
    const key = new Uint8Array(4);
    const value = new Uint8Array(64);
    value.set(MEMORY);
    void linux.mapUpdate(map, key, value);
    const load = linux.progLoad(slot, {
      type: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
      insns: encodeInsns([...caller, ...insns]),
      logLevel: 1,
    });
    const run = linux.testRun(slot, { dataIn: new Uint8Array(14) });
    const after = linux.mapLookup(map, key, 64);
    void linux.close(slot);
    expect(await load).toMatchObject({ result: 0 });
    expect(await run).toMatchObject({ result: 0 });
    const bytes = await after;
    if (typeof bytes === 'number') throw new Error(`map lookup: ${bytes}`);
    return Buffer.from(bytes).readBigUInt64LE(RESULT);
  }
});
