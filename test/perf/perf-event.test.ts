import { describe, expect, it } from 'vitest';
import { BpfProgType, PerfEventSampleFormat as F, PerfSwIds } from '../../src/base/index.js';
import {
  type PerfEvent,
  PerfEvents,
  perfEventAttr,
  type PerfEventAttrInit,
  PerfReader,
  perfRingLedger,
  type PerfReaderSample,
} from '../../src/perf/index.js';
import type { BpfRuntime } from '../../src/runtime/index.js';
import {
  alu64Imm,
  BPF_DW,
  BPF_OR,
  BPF_SUB,
  exit,
  formatLedger,
  ldx,
  mov64Imm,
  type ProgramInput,
} from '../../src/runtime/index.js';
import { golden } from '../support/golden.js';
import { makeTask, TestHost } from '../support/test-host.js';
import { setTracing, TestRuntime } from '../support/test-runtime.js';
import { PerfFixture } from './perf-fixture.js';

const CPU_CLOCK = BigInt(PerfSwIds.PERF_COUNT_SW_CPU_CLOCK);

const clock = (fixture: PerfFixture, fields: PerfEventAttrInit = {}, target = { pid: -1, cpu: 0 }): PerfEvent =>
  fixture.perf.open(perfEventAttr({ type: 1, config: CPU_CLOCK, samplePeriod: 1_000_000n, ...fields }), target);

const program = (
  runtime: BpfRuntime,
  insns: ProgramInput['insns'],
  type: number = BpfProgType.BPF_PROG_TYPE_PERF_EVENT,
) => runtime.loadProgram({ name: 'sampler', type, expectedAttachType: 0, license: 'GPL', insns, maps: [] });

const read = (event: PerfEvent): PerfReaderSample[] => {
  const seen: PerfReaderSample[] = [];
  new PerfReader([event]).poll((record) => seen.push(record));
  return seen;
};

describe('a clock event', () => {
  it('samples on its CPU while enabled', () => {
    const fixture = new PerfFixture();
    const { host } = fixture;
    const event = clock(fixture, { flags: ['disabled'] });
    expect(host.samplersOn(0)).toBe(0);
    event.enable();
    event.enable();
    expect([host.samplersOn(0), host.samplersOn(1)]).toEqual([1, 0]);
    event.disable();
    expect(host.samplersOn(0)).toBe(0);
    event.enable();
    event.close();
    event.close();
    expect(host.samplersOn(0)).toBe(0);
    expect(() => event.enable()).toThrow('EBADF');
  });

  it.each([
    [{ samplePeriod: 5_000_000n }, 5_000_000n],
    [{ samplePeriod: 99n, flags: ['freq'] as const }, 10_101_010n],
    [{ samplePeriod: 100_000n, flags: ['freq'] as const }, 10_000n],
    [{ samplePeriod: 1n }, 10_000n],
    [{ samplePeriod: 0n }, 0n],
    [{ samplePeriod: 0n, flags: ['freq'] as const }, 0n],
    [{ config: BigInt(PerfSwIds.PERF_COUNT_SW_DUMMY), samplePeriod: 5n }, 0n],
  ])('%o has a period of %d ns', (fields, period) => {
    expect(
      clock(new PerfFixture(), { ...fields, flags: [...('flags' in fields ? (fields.flags ?? []) : []), 'disabled'] })
        .period,
    ).toBe(period);
  });

  it('writes a sample of the fields it was opened with', () => {
    const fixture = new PerfFixture();
    const { host } = fixture;
    const sampleType =
      F.PERF_SAMPLE_IP |
      F.PERF_SAMPLE_TID |
      F.PERF_SAMPLE_TIME |
      F.PERF_SAMPLE_CPU |
      F.PERF_SAMPLE_PERIOD |
      F.PERF_SAMPLE_ID;
    const event = clock(fixture, { sampleType }, { pid: -1, cpu: 1 });
    event.mmap(1);
    host.now = 5_000n;
    host.sample(1, host.enter('busy'));
    host.sample(1, host.enter('other'), true);
    expect(read(event).map(({ cpu, sample }) => ({ ...sample, cpu }))).toEqual([
      {
        type: 'sample',
        misc: 1,
        ip: host.address('busy'),
        pid: 101,
        tid: 101,
        time: 5_000n,
        cpu: 1,
        period: 1_000_000n,
        id: 1n,
      },
      {
        type: 'sample',
        misc: 2,
        ip: host.address('other'),
        pid: 101,
        tid: 101,
        time: 5_000n,
        cpu: 1,
        period: 1_000_000n,
        id: 1n,
      },
    ]);
    expect(event.counts).toMatchObject({ taken: 2, recorded: 2 });
  });

  it.each([
    [{}, false, [0xffff_ffff_ffff_ff80n, 1n, 2n, 0xffff_ffff_ffff_fe00n, 7n, 8n]],
    [{}, true, [0xffff_ffff_ffff_fe00n, 7n, 8n]],
    [{ sampleMaxStack: 3 }, false, [0xffff_ffff_ffff_ff80n, 1n, 2n, 0xffff_ffff_ffff_fe00n, 7n]],
    [{ sampleMaxStack: 2 }, false, [0xffff_ffff_ffff_ff80n, 1n, 2n, 0xffff_ffff_ffff_fe00n]],
    [{ flags: ['exclude_callchain_user'] as const }, false, [0xffff_ffff_ffff_ff80n, 1n, 2n]],
    [{ flags: ['exclude_callchain_kernel'] as const }, false, [0xffff_ffff_ffff_fe00n, 7n, 8n]],
  ])('callchain with %o, in user mode %s', (fields, user, chain) => {
    const fixture = new PerfFixture();
    fixture.host.kernelStack = [1n, 2n];
    fixture.host.userStack = [7n, 8n];
    const event = clock(fixture, { sampleType: F.PERF_SAMPLE_CALLCHAIN, ...fields });
    event.mmap(1);
    fixture.host.sample(0, fixture.host.enter('busy'), user);
    expect(read(event)[0]?.sample.callchain).toEqual(chain);
  });

  it.each([
    ['exclude_user', [true, false], 1],
    ['exclude_kernel', [true, false], 1],
    ['exclude_hv', [true, false], 2],
  ] as const)('%s of user and kernel samples leaves %d', (flag, modes, left) => {
    const fixture = new PerfFixture();
    const event = clock(fixture, { flags: [flag] });
    for (const user of modes) fixture.host.sample(0, fixture.host.enter('busy'), user);
    expect(event.counts.taken).toBe(left);
  });

  it('exclude_idle leaves out thread 0', () => {
    const fixture = new PerfFixture();
    const event = clock(fixture, { flags: ['exclude_idle'] });
    fixture.host.current[0] = makeTask(0, 'swapper/0');
    fixture.host.sample(0, fixture.host.enter('busy'));
    fixture.host.current[0] = makeTask(5);
    fixture.host.sample(0, fixture.host.enter('busy'));
    expect(event.counts.taken).toBe(1);
  });

  it('of a thread samples it on every CPU, and nobody else', () => {
    const fixture = new PerfFixture();
    const { host } = fixture;
    const event = clock(fixture, {}, { pid: 101, cpu: -1 });
    host.sample(0, host.enter('busy'));
    host.sample(1, host.enter('busy'));
    host.current.reverse();
    host.sample(0, host.enter('busy'));
    host.sample(1, host.enter('busy'));
    expect(event.counts.taken).toBe(2);
    expect(() => event.read()).toThrow('EOPNOTSUPP');
  });

  it('counts the nanoseconds it was enabled', () => {
    const fixture = new PerfFixture();
    const event = clock(fixture, { sampleType: F.PERF_SAMPLE_READ, readFormat: 7 });
    event.mmap(1);
    fixture.host.now += 30n;
    fixture.host.sample(0, fixture.host.enter('busy'));
    event.disable();
    fixture.host.now += 1000n;
    event.enable();
    fixture.host.now += 12n;
    expect(event.read()).toEqual({ value: 42n, timeEnabled: 42n, timeRunning: 42n, id: 1n, lost: 0n });
    expect(read(event)[0]?.sample.read).toEqual({ value: 30n, timeEnabled: 30n, timeRunning: 30n, id: 1n });
  });

  it.each([
    [0, 'realtime', 1_700_000_000_000_000_007n],
    [1, 'monotonic', 7n],
    [7, 'boottime', 12n],
    [11, 'tai', 1_700_000_037_000_000_007n],
  ])('stamps samples by clock %d (%s)', (clockid, _, time) => {
    const fixture = new PerfFixture();
    const event = clock(fixture, { sampleType: F.PERF_SAMPLE_TIME, flags: ['use_clockid'], clockid });
    event.mmap(1);
    fixture.host.now = 7n;
    fixture.host.sample(0, fixture.host.enter('busy'));
    expect(read(event)[0]?.sample.time).toBe(time);
  });
});

describe('a program on a perf event', () => {
  it('is shown the registers, the period and the address, and keeps the record by its return value', () => {
    const fixture = new PerfFixture();
    const { runtime, host } = fixture;
    // r0 = ctx->regs.di: what it returns is what the test puts into that register.
    const di = host.arch.ptRegs.args[0];
    const sampler = program(runtime, [ldx(BPF_DW, 0, 1, 8 * di), exit()]);
    const event = clock(fixture, { sampleType: F.PERF_SAMPLE_IP });
    event.mmap(1);
    event.setProgram(sampler);
    host.sample(0, host.enter('busy', [0n]));
    host.sample(0, host.enter('busy', [1n]));
    expect(read(event)).toHaveLength(1);
    expect(event.counts).toEqual({ taken: 2, recorded: 1, programOnly: 1, missed: 0, ringFull: 0, unread: 0 });
    expect(sampler.runCount).toBe(2n);
  });

  it('the context ends with sample_period and addr, as struct bpf_perf_event_data', () => {
    const fixture = new PerfFixture();
    const { runtime, host } = fixture;
    const { size } = host.arch.ptRegs;
    expect(size).toBe(168);
    const samplePeriod = clock(fixture, { samplePeriod: 123_456n });
    samplePeriod.setProgram(program(runtime, [ldx(BPF_DW, 0, 1, size), alu64Imm(BPF_SUB, 0, 123_456), exit()]));
    samplePeriod.mmap(1);
    const addr = clock(fixture);
    addr.setProgram(program(runtime, [ldx(BPF_DW, 0, 1, size + 8), exit()]));
    addr.mmap(1);
    host.sample(0, host.enter('busy'));
    // Both programs returned 0, so that no record was kept: the fields held what they were compared with.
    for (const event of [samplePeriod, addr]) expect(event.counts).toMatchObject({ recorded: 0, programOnly: 1 });
  });

  it('reads struct bpf_perf_event_data', () => {
    const host = new TestHost({ functions: { busy: [0x90, 0xc3] } });
    const bpf = new TestRuntime(host);
    const perf = new PerfEvents(bpf.runtime);
    let text = '';
    const sampler = bpf.program(BpfProgType.BPF_PROG_TYPE_PERF_EVENT, ({ ctxSize }, ctx) => {
      const fields = [...host.arch.ptRegs.names, 'sample_period', 'addr'];
      const word = (i: number): string =>
        bpf.memory.view
          .getBigUint64(ctx + 8 * i, true)
          .toString(16)
          .padStart(16, '0');
      text = [...fields.map((name, i) => `${name.padEnd(13)} ${word(i)}`), `size          ${ctxSize}`].join('\n');
      return 0;
    });
    const event = perf.open(perfEventAttr({ type: 1, config: CPU_CLOCK, samplePeriod: 250_000n }), { pid: -1, cpu: 1 });
    event.setProgram(sampler.program);
    host.sample(1, host.enter('busy', [1n, 2n, 3n, 4n, 5n, 6n]));
    golden('hooks/perf-event-context.txt', text);
  });

  it('leaves the record and the books as recorded', () => {
    const fixture = new PerfFixture();
    const { host, runtime } = fixture;
    host.kernelStack = [host.address('busy'), host.address('other', 1)];
    host.userStack = [0x40_1000n];
    const event = clock(fixture, {
      samplePeriod: 10_000n,
      sampleType:
        F.PERF_SAMPLE_IDENTIFIER | F.PERF_SAMPLE_IP | F.PERF_SAMPLE_TID | F.PERF_SAMPLE_TIME | F.PERF_SAMPLE_CALLCHAIN,
    });
    const ring = event.mmap(1);
    // r0 = (u32)ctx->regs.ip | 1: keeps the record.
    const ip = 8 * host.arch.ptRegs.ip;
    event.setProgram(program(runtime, [ldx(BPF_DW, 0, 1, ip), alu64Imm(BPF_OR, 0, 1), exit()]));
    const free = runtime.memory.used;
    host.sample(0, host.enter('busy', [1n, 2n, 3n]));
    expect(runtime.memory.used).toBe(free);
    setTracing(runtime, 0, true);
    host.sample(0, host.enter('busy'));
    setTracing(runtime, 0, false);
    const record = ring.take() ?? new Uint8Array();
    const words = new BigUint64Array(record.slice().buffer);
    const text = [...words].map((word, i) => `${String(8 * i).padStart(3)} ${word.toString(16).padStart(16, '0')}`);
    const row = perfRingLedger('clock/cpu0', ring).ledgerRow();
    golden('hooks/perf-event-record.txt', [...text, '', JSON.stringify(event.counts), formatLedger([row])].join('\n'));
  });

  it('of another type is EINVAL, a second one EEXIST', () => {
    const fixture = new PerfFixture();
    const event = clock(fixture);
    const insns = [mov64Imm(0, 0), exit()];
    expect(() => event.setProgram(program(fixture.runtime, insns, BpfProgType.BPF_PROG_TYPE_KPROBE))).toThrow(
      'attaching sampler to a perf event [value program type 2]: EINVAL; the program must be of type perf_event',
    );
    event.setProgram(program(fixture.runtime, insns));
    expect(() => event.setProgram(program(fixture.runtime, insns))).toThrow('EEXIST');
  });

  it('is missed while another program runs on the CPU, and the event counts it', () => {
    const fixture = new PerfFixture();
    const sampler = program(fixture.runtime, [mov64Imm(0, 1), exit()]);
    const event = clock(fixture);
    event.setProgram(sampler);
    setTracing(fixture.runtime, 0, true);
    fixture.host.sample(0, fixture.host.enter('busy'));
    setTracing(fixture.runtime, 0, false);
    fixture.host.sample(0, fixture.host.enter('busy'));
    expect(event.counts).toMatchObject({ taken: 2, missed: 1, programOnly: 1 });
    expect(sampler.recursionMisses).toBe(1n);
  });

  it('lives on after its creator closed it, until the event is closed', () => {
    const fixture = new PerfFixture();
    const sampler = program(fixture.runtime, [mov64Imm(0, 1), exit()]);
    const event = clock(fixture);
    event.setProgram(sampler);
    sampler.release();
    fixture.host.sample(0, fixture.host.enter('busy'));
    expect([...fixture.runtime.programs]).toEqual([sampler]);
    event.close();
    expect([...fixture.runtime.programs]).toEqual([]);
  });

  it('gives its memory back', () => {
    const fixture = new PerfFixture();
    const sampler = program(fixture.runtime, [mov64Imm(0, 1), exit()]);
    const before = fixture.runtime.memory.used;
    const event = clock(fixture);
    event.mmap(4);
    event.setProgram(sampler);
    event.close();
    expect(fixture.runtime.memory.used).toBe(before);
  });
});
