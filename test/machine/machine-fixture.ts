import { BpfAttachType, BpfFuncId, BpfMapType, BpfProgType, BpfPseudo, BpfRingbuf } from '../../src/base/index.js';
import { Machine, type MachineOptions } from '../../src/machine/index.js';
import {
  alu64Imm,
  BPF_ADD,
  BPF_B,
  BPF_DW,
  type BpfProgram,
  call,
  exit,
  ldImm64,
  mov64Imm,
  mov64Reg,
  RingBufferMap,
  st,
  stx,
} from '../../src/runtime/index.js';
import { instance } from '../support/instance.js';
import { TestHost, type TestHostOptions } from '../support/test-host.js';
import { FRAME, LEAF } from '../support/text.js';
import { SCHED_SWITCH, SYS_ENTER } from '../support/tracepoints.js';

/** What the fixture's programs emit: who ran, with which cookie. */
export interface Emitted {
  readonly tag: number;
  readonly cookie: bigint;
}

/** A machine on a test host, with programs that tell of their runs through a ring buffer. */
export class MachineFixture {
  readonly host: TestHost;
  readonly machine: Machine;
  readonly ring: RingBufferMap;
  /** Called in the middle of each run, after the program has emitted. */
  onRun: () => void = () => undefined;

  constructor(hostOptions: TestHostOptions = {}, options: MachineOptions = {}, ringSize = 65536) {
    this.host = new TestHost({
      functions: { frame: FRAME, leaf: LEAF, secret: LEAF },
      blacklist: ['secret'],
      tracepoints: [SCHED_SWITCH, SYS_ENTER],
      ...hostOptions,
    });
    this.machine = new Machine(this.host, options);
    const ring = this.machine.runtime.createMap({
      name: 'runs',
      type: BpfMapType.BPF_MAP_TYPE_RINGBUF,
      keySize: 0,
      valueSize: 0,
      maxEntries: ringSize,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
    });
    this.ring = instance(ring, RingBufferMap);
    this.machine.runtime.tracePrintk = () => this.onRun();
  }

  /** A program that emits `tag` and its attach cookie; it returns 1. */
  program(tag: number, type: number = BpfProgType.BPF_PROG_TYPE_KPROBE, expected = 0): BpfProgram {
    const isTracing = type === BpfProgType.BPF_PROG_TYPE_TRACING;
    return this.machine.runtime.loadProgram({
      name: `prog${tag}`,
      type,
      expectedAttachType: isTracing ? BpfAttachType.BPF_TRACE_RAW_TP : expected,
      license: 'GPL',
      maps: [this.ring],
      insns: [
        call(BpfFuncId.BPF_FUNC_get_attach_cookie),
        stx(BPF_DW, 10, 0, -16),
        st(BPF_DW, 10, -8, tag),
        ...ldImm64(1, 0n, BpfPseudo.BPF_PSEUDO_MAP_FD),
        mov64Reg(2, 10),
        alu64Imm(BPF_ADD, 2, -16),
        mov64Imm(3, 16),
        mov64Imm(4, BpfRingbuf.BPF_RB_FORCE_WAKEUP),
        call(BpfFuncId.BPF_FUNC_ringbuf_output),
        st(BPF_B, 10, -24, 0),
        mov64Reg(1, 10),
        alu64Imm(BPF_ADD, 1, -24),
        mov64Imm(2, 1),
        call(BpfFuncId.BPF_FUNC_trace_printk),
        mov64Imm(0, 1),
        exit(),
      ],
    });
  }

  /** What was emitted since the last call. */
  emitted(): Emitted[] {
    const seen: Emitted[] = [];
    const reader = this.machine.readRings(this.ring);
    reader.poll(({ data }) => {
      const view = new DataView(data.buffer);
      seen.push({ cookie: view.getBigUint64(0, true), tag: Number(view.getBigUint64(8, true)) });
    });
    reader.close();
    return seen;
  }

  tags(): number[] {
    return this.emitted().map(({ tag }) => tag);
  }

  /** The bytes at the start of a function. */
  text(symbol: string, length = 4): number[] {
    return [...(this.host.memory.view(this.host.address(symbol), length) ?? [])];
  }
}
