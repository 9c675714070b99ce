import { describe, expect, test } from 'vitest';
import { BpfProgType } from '../../../src/base/index.js';
import {
  BpfRuntime,
  createInterpreter,
  createJit,
  encodeInsns,
  type Engine,
  type Insn,
} from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { TestHost } from '../../support/test-host.js';

const { BPF_ABS, BPF_B, BPF_H, BPF_IND, BPF_LD, BPF_W } = isa;
/** Where a negative offset means the link and the network header: SKF_LL_OFF, SKF_NET_OFF. */
const LINK = -0x20_0000;
const NETWORK = -0x10_0000;

const packet = Uint8Array.from({ length: 64 }, (_, i) => i + 0x80);
packet.set([0x08, 0x00], 12);

const abs = (size: number, offset: number): Insn[] => [isa.insn(BPF_LD | BPF_ABS | size, 0, 0, 0, offset)];
const ind = (size: number, base: number, offset: number): Insn[] => [
  isa.mov64Imm(7, base),
  isa.insn(BPF_LD | BPF_IND | size, 0, 7, 0, offset),
];

const rows: readonly (readonly [what: string, load: readonly Insn[], socketFilter: number, classifier: number])[] = [
  ['LD_ABS of one byte', abs(BPF_B, 1), 0x8f, 0x81],
  ['LD_ABS of two bytes', abs(BPF_H, 1), 0x8f90, 0x8182],
  ['LD_ABS of four bytes', abs(BPF_W, 1), 0x8f90_9192, 0x8182_8384],
  ['LD_IND of one byte', ind(BPF_B, 2, 1), 0x91, 0x83],
  ['LD_IND of two bytes', ind(BPF_H, 2, 1), 0x9192, 0x8384],
  ['LD_IND of four bytes', ind(BPF_W, 20, 1), 0xa3a4_a5a6, 0x9596_9798],
  ['the link header', abs(BPF_H, LINK + 12), 0x0800, 0x0800],
  ['the network header', abs(BPF_B, NETWORK + 1), 0x8f, 0x8f],
  ['the last byte', abs(BPF_B, LINK + 63), 0xbf, 0xbf],
  ['past the end: the program returns 0', abs(BPF_W, 61), 0, 0],
  ['far past the end: the program returns 0', ind(BPF_B, 0x7fff_ffff, 0x7fff_ffff), 0, 0],
];

/** A socket filter sees the packet from behind its link header, a classifier from its start. */
const types = [BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, BpfProgType.BPF_PROG_TYPE_SCHED_CLS];
const programOf = (load: readonly Insn[]): Insn[] => [isa.mov64Reg(6, 1), ...load, isa.exit()];

function result(engine: Engine, type: number, load: readonly Insn[]): number {
  const runtime = new BpfRuntime(new TestHost(), { engine });
  const insns = programOf(load);
  const program = runtime.loadProgram({ name: 'load', type, expectedAttachType: 0, license: 'GPL', maps: [], insns });
  return runtime.testRun(program, { dataIn: packet }).retval;
}

const engines = [createInterpreter(), createJit()];

describe.each(engines)('LD_ABS and LD_IND read the packet in network byte order, $name', (engine) => {
  test.each(rows)('%s', (_what, load, ...expected) => {
    expect(types.map((type) => result(engine, type, load) >>> 0)).toEqual(expected);
  });
});

describeWithLinux('LD_ABS and LD_IND read the packet in network byte order, live', (linux) => {
  test.each(rows)('%s', async (_what, load, ...expected) => {
    const results: number[] = [];
    for (const type of types) {
      const slot = linux.slot();
      void linux.progLoad(slot, { type, insns: encodeInsns(programOf(load)), logLevel: 1 });
      results.push((await linux.testRun(slot, { dataIn: packet })).retval >>> 0);
      await linux.close(slot);
    }
    expect(results).toEqual(expected);
  });
});
