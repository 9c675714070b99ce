import { describe, expect, it, test } from 'vitest';
import { BpfError, BpfMapType, BpfProgType } from '../../src/base/index.js';
import { encodeInsns, type Insn } from '../../src/runtime/index.js';
import * as isa from '../../src/runtime/isa/index.js';
import { SkBuff } from '../../src/runtime/context-layout.js';
import { describeWithLinux } from '../oracle/linux.js';
import { fixture } from './interp/support.js';

const { BPF_ADD, BPF_B, BPF_DW, BPF_H, BPF_JGT, BPF_W } = isa;
const T = BpfProgType;

const ipv4 = Uint8Array.from({ length: 60 }, (_, i) => (i === 12 ? 8 : i === 13 ? 0 : i === 14 ? 0x45 : i));

const ipv6 = ipv4.slice().fill(0x86, 12, 13).fill(0xdd, 13, 14).fill(0x60, 14, 15);

interface TestRunCase {
  readonly name: string;
  readonly type: number;
  readonly insns: readonly Insn[];
  readonly dataIn?: Uint8Array;
  readonly ctxIn?: Uint8Array;
  readonly repeat?: number;
}

/** Each stores what it reads to map value 0, which is compared as well. */
const keep = (register: number): Insn[] => [...isa.ldImm64(9, 0n, 2), isa.stx(BPF_DW, 9, register, 0)];

function field(type: number, offset: number, size = BPF_W, ctxIn?: Uint8Array): TestRunCase {
  return {
    name: `type ${type} context field ${offset}`,
    type,
    insns: [isa.ldx(size, 6, 1, offset), ...keep(6), isa.mov64Reg(0, 6), isa.exit()],
    dataIn: ipv4,
    ...(ctxIn === undefined ? {} : { ctxIn }),
  };
}

function skbContext(fields: Readonly<Record<number, number>>): Uint8Array {
  const bytes = new Uint8Array(SkBuff.size);
  const view = new DataView(bytes.buffer);
  for (const [offset, value] of Object.entries(fields)) view.setUint32(Number(offset), value, true);
  return bytes;
}

/** data_end - data, data + 14 <= data_end ? first 2 bytes after the link layer header */
function packetParser(data: number, dataEnd: number): Insn[] {
  return [
    isa.ldx(BPF_W, 2, 1, data),
    isa.ldx(BPF_W, 3, 1, dataEnd),
    isa.mov64Reg(4, 2),
    isa.alu64Imm(BPF_ADD, 4, 16),
    isa.mov64Imm(0, -1),
    isa.jmpReg(BPF_JGT, 4, 3, 3),
    isa.ldx(BPF_H, 0, 2, 14),
    isa.st(BPF_B, 2, 0, 0xaa),
    isa.ja(0),
    isa.exit(),
  ];
}

function xdpContext(data: number, dataEnd: number, dataMeta = 0): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data, true);
  view.setUint32(4, dataEnd, true);
  view.setUint32(8, dataMeta, true);
  return bytes;
}

const returns = (value: number): Insn[] => [isa.mov64Imm(0, value), isa.exit()];
/** data_end - data */
const linearBytes = [isa.ldx(BPF_W, 2, 1, 0), isa.ldx(BPF_W, 0, 1, 4), isa.alu64Reg(isa.BPF_SUB, 0, 2), isa.exit()];
const skbFields = [
  SkBuff.len,
  SkBuff.pkt_type,
  SkBuff.mark,
  SkBuff.protocol,
  SkBuff.priority,
  SkBuff.ifindex,
  SkBuff.hash,
];
const given = skbContext({ [SkBuff.mark]: 7, [SkBuff.priority]: 8, [SkBuff.cb]: 9, [SkBuff.cb + 16]: 10 });

const cases: readonly TestRunCase[] = [
  ...skbFields.flatMap((offset) => [
    field(T.BPF_PROG_TYPE_SOCKET_FILTER, offset),
    field(T.BPF_PROG_TYPE_SCHED_CLS, offset),
  ]),
  field(T.BPF_PROG_TYPE_SCHED_CLS, SkBuff.mark, BPF_W, given),
  field(T.BPF_PROG_TYPE_SCHED_CLS, SkBuff.mark, BPF_B, given),
  field(T.BPF_PROG_TYPE_SCHED_CLS, SkBuff.cb + 16, BPF_W, given),
  field(T.BPF_PROG_TYPE_SCHED_CLS, SkBuff.wire_len, BPF_W),
  {
    name: 'broadcast',
    type: T.BPF_PROG_TYPE_SOCKET_FILTER,
    insns: field(1, SkBuff.pkt_type).insns,
    dataIn: ipv4.slice().fill(0xff, 0, 6),
  },
  {
    name: 'multicast',
    type: T.BPF_PROG_TYPE_SOCKET_FILTER,
    insns: field(1, SkBuff.pkt_type).insns,
    dataIn: ipv4.slice().fill(1, 0, 1),
  },
  {
    name: 'for this host',
    type: T.BPF_PROG_TYPE_SOCKET_FILTER,
    insns: field(1, SkBuff.pkt_type).insns,
    dataIn: ipv4.slice().fill(0, 0, 6),
  },
  {
    name: 'a classifier parses',
    type: T.BPF_PROG_TYPE_SCHED_CLS,
    insns: packetParser(SkBuff.data, SkBuff.data_end),
    dataIn: ipv4,
  },
  field(T.BPF_PROG_TYPE_SCHED_CLS, SkBuff.wire_len, BPF_W, new Uint8Array(192)),
  ...[13, 14, 15].map((length) => ({
    name: `a packet of ${length} bytes`,
    type: T.BPF_PROG_TYPE_SCHED_CLS,
    insns: packetParser(SkBuff.data, SkBuff.data_end),
    dataIn: new Uint8Array(length),
  })),
  ...[33, 34].map((length) => ({
    name: `IPv4 of ${length} bytes`,
    type: T.BPF_PROG_TYPE_SCHED_CLS,
    insns: returns(1),
    dataIn: ipv4.slice(0, length),
  })),
  ...[53, 54].map((length) => ({
    name: `IPv6 of ${length} bytes`,
    type: T.BPF_PROG_TYPE_SOCKET_FILTER,
    insns: returns(1),
    dataIn: ipv6.slice(0, length),
  })),
  ...[3712, 3713].map((length) => ({
    name: `a packet of ${length} bytes`,
    type: T.BPF_PROG_TYPE_SCHED_CLS,
    insns: returns(1),
    dataIn: new Uint8Array(length),
  })),
  ...[3520, 3521, 70_000, 80_000].map((length) => ({
    name: `xdp on ${length} bytes`,
    type: T.BPF_PROG_TYPE_XDP,
    insns: linearBytes,
    dataIn: new Uint8Array(length),
  })),
  { name: 'xdp parses', type: T.BPF_PROG_TYPE_XDP, insns: packetParser(0, 4), dataIn: ipv4 },
  {
    name: 'xdp context',
    type: T.BPF_PROG_TYPE_XDP,
    insns: [isa.ldx(BPF_W, 0, 1, 12), isa.exit()],
    dataIn: ipv4,
    ctxIn: xdpContext(0, 60),
  },
  {
    name: 'xdp metadata',
    type: T.BPF_PROG_TYPE_XDP,
    insns: packetParser(8, 0),
    dataIn: ipv4,
    ctxIn: xdpContext(8, 60),
  },
  {
    name: 'xdp data_end that is not the end',
    type: T.BPF_PROG_TYPE_XDP,
    insns: returns(2),
    dataIn: ipv4,
    ctxIn: xdpContext(0, 61),
  },
  { name: 'xdp data_meta', type: T.BPF_PROG_TYPE_XDP, insns: returns(2), dataIn: ipv4, ctxIn: xdpContext(8, 60, 4) },
  { name: 'xdp odd metadata', type: T.BPF_PROG_TYPE_XDP, insns: returns(2), dataIn: ipv4, ctxIn: xdpContext(6, 60) },
  { name: 'no packet', type: T.BPF_PROG_TYPE_XDP, insns: returns(2) },
  {
    name: 'a socket filter keeps its header to itself',
    type: T.BPF_PROG_TYPE_SOCKET_FILTER,
    insns: returns(5),
    dataIn: ipv4,
  },
  {
    name: 'repeat',
    type: T.BPF_PROG_TYPE_XDP,
    insns: [...isa.ldImm64(1, 0n, 2), isa.mov64Imm(2, 1), isa.atomic(BPF_DW, BPF_ADD, 1, 2, 0), ...returns(2)],
    dataIn: ipv4,
    repeat: 5,
  },
  {
    name: 'a field that cannot be set',
    type: T.BPF_PROG_TYPE_SCHED_CLS,
    insns: returns(0),
    dataIn: ipv4,
    ctxIn: skbContext({ [SkBuff.len]: 60 }),
  },
  {
    name: 'a context with a tail',
    type: T.BPF_PROG_TYPE_SCHED_CLS,
    insns: returns(0),
    dataIn: ipv4,
    ctxIn: new Uint8Array(200).fill(1, 199),
  },
  {
    name: 'a classifier writes fields',
    type: T.BPF_PROG_TYPE_SCHED_CLS,
    insns: [isa.mov64Imm(2, 3), isa.stx(BPF_W, 1, 2, SkBuff.mark), isa.stx(BPF_W, 1, 2, SkBuff.cb + 4), ...returns(0)],
    dataIn: ipv4,
    ctxIn: new Uint8Array(192),
  },
  {
    name: 'raw tracepoint arguments',
    type: T.BPF_PROG_TYPE_RAW_TRACEPOINT,
    insns: [isa.ldx(BPF_DW, 6, 1, 8), ...keep(6), ...returns(3)],
    ctxIn: Uint8Array.from({ length: 16 }, (_, i) => i),
  },
  { name: 'raw tracepoint with a packet', type: T.BPF_PROG_TYPE_RAW_TRACEPOINT, insns: returns(3), dataIn: ipv4 },
  {
    name: 'raw tracepoint with too many arguments',
    type: T.BPF_PROG_TYPE_RAW_TRACEPOINT,
    insns: returns(3),
    ctxIn: new Uint8Array(104),
  },
  {
    name: 'LD_ABS',
    type: T.BPF_PROG_TYPE_SOCKET_FILTER,
    insns: [isa.mov64Reg(6, 1), isa.insn(0x28, 0, 0, 0, 2), isa.exit()],
    dataIn: ipv4,
  },
  {
    name: 'LD_ABS of the link layer',
    type: T.BPF_PROG_TYPE_SOCKET_FILTER,
    insns: [isa.mov64Reg(6, 1), isa.insn(0x28, 0, 0, 0, -0x20_0000 + 12), isa.exit()],
    dataIn: ipv4,
  },
  {
    name: 'LD_ABS of the network layer',
    type: T.BPF_PROG_TYPE_SCHED_CLS,
    insns: [isa.mov64Reg(6, 1), isa.insn(0x30, 0, 0, 0, -0x10_0000 + 1), isa.exit()],
    dataIn: ipv4,
  },
  {
    name: 'LD_ABS past the end',
    type: T.BPF_PROG_TYPE_SOCKET_FILTER,
    insns: [isa.mov64Reg(6, 1), isa.insn(0x20, 0, 0, 0, 43), isa.mov64Imm(0, 9), isa.exit()],
    dataIn: ipv4,
  },
];

interface Answer {
  readonly errno: number;
  readonly retval: number;
  readonly data: string;
  readonly ctx: string;
  readonly value: string;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function ourAnswer({ type, insns, dataIn, ctxIn, repeat }: TestRunCase): Answer {
  const { array, load, runtime } = fixture();
  const map = array(8);
  const program = load(insns, { type, maps: [map] });
  try {
    const { retval, dataOut, ctxOut } = runtime.testRun(program, {
      ...(dataIn === undefined ? {} : { dataIn }),
      ...(ctxIn === undefined ? {} : { ctxIn }),
      ...(repeat === undefined ? {} : { repeat }),
    });
    const value = map.sysLookup(new Uint8Array(4)) as Uint8Array;
    const isRaw = type === T.BPF_PROG_TYPE_RAW_TRACEPOINT;
    return { errno: 0, retval, data: hex(dataOut), ctx: isRaw ? '' : hex(ctxOut), value: hex(value) };
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return { errno: -error.errno, retval: 0, data: '', ctx: '', value: '' };
  }
}

describeWithLinux('test runs', (linux) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const map = linux.slot();
    const slot = linux.slot();
    await linux.mapCreate(map, { type: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 8, maxEntries: 1 });
    const insns = one.insns.map((insn) => (insn.code === isa.LDIMM64 && insn.src === 2 ? { ...insn, imm: map } : insn));
    const load = await linux.progLoad(slot, { type: one.type, insns: encodeInsns(insns), logLevel: 1 });
    expect(load.log).toContain('processed');
    expect(load.result, load.log).toBe(0);
    const isRaw = one.type === T.BPF_PROG_TYPE_RAW_TRACEPOINT;
    const run = await linux.testRun(slot, {
      ...(one.dataIn === undefined ? {} : { dataIn: one.dataIn }),
      ...(one.ctxIn === undefined ? {} : { ctxIn: one.ctxIn }),
      repeat: one.repeat ?? 0,
      dataRoom: isRaw ? 0 : 80_000,
      ctxRoom: isRaw ? 0 : (one.ctxIn?.length ?? 0),
    });
    const value = (await linux.mapLookup(map, new Uint8Array(4), 8)) as Uint8Array;
    await linux.close(map, slot);
    const theirs =
      run.result < 0
        ? { errno: run.result, retval: 0, data: '', ctx: '', value: '' }
        : { errno: 0, retval: run.retval, data: hex(run.data), ctx: hex(run.ctx), value: hex(value) };
    expect(ourAnswer(one)).toEqual(theirs);
  });
});

describe('test runs of types that Linux cannot run', () => {
  test.each([T.BPF_PROG_TYPE_KPROBE, T.BPF_PROG_TYPE_TRACEPOINT, T.BPF_PROG_TYPE_PERF_EVENT, T.BPF_PROG_TYPE_TRACING])(
    'type %i: on the context as given',
    (type) => {
      const { load, runtime } = fixture();
      const program = load([isa.ldx(BPF_DW, 0, 1, 8), isa.exit()], { type });
      const ctxIn = Uint8Array.of(...new Uint8Array(8), 1, 2, 0, 0, 0, 0, 0, 0);
      expect(runtime.testRun(program, { ctxIn, repeat: 3 })).toMatchObject({ retval: 0x201, ctxOut: ctxIn });
      expect(program.runCount).toBe(3n);
    },
  );

  it('say why a run stopped', () => {
    const { load, runtime } = fixture();
    const program = load([isa.ldx(BPF_DW, 0, 1, 8), isa.exit()]);
    expect(() => runtime.testRun(program, { ctxIn: new Uint8Array(8) })).toThrow(
      /^program prog stopped at instruction 0: invalid read of 8 bytes .*: EFAULT$/,
    );
    expect(() => runtime.testRun(program, { cpu: 1 })).toThrow(/ENXIO/);
  });

  it('gives back all memory', () => {
    const { load, runtime } = fixture();
    const program = load(returns(1), { type: T.BPF_PROG_TYPE_SCHED_CLS });
    const before = runtime.memory.used;
    runtime.testRun(program, { dataIn: ipv4 });
    expect(runtime.memory.used).toBe(before);
  });
});
