import { beforeEach, describe, expect, it } from 'vitest';
import { BpfAttachType, BpfProgType } from '../../src/base/index.js';
import { parseSectionName } from '../../src/loader/index.js';
import { MachineFixture } from './machine-fixture.js';

const { BPF_PROG_TYPE_KPROBE } = BpfProgType;
const { BPF_TRACE_KPROBE_MULTI, BPF_TRACE_KPROBE_SESSION } = BpfAttachType;

let fixture: MachineFixture;

beforeEach(() => {
  fixture = new MachineFixture();
});

describe('a link to many functions', () => {
  it('is made from a section name, and leaves blacklisted functions out', () => {
    const { attach } = parseSectionName('kprobe.multi/*e*');
    const link = fixture.machine.attach(fixture.program(1, BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI), attach);
    for (const name of ['frame', 'leaf', 'secret']) fixture.host.call(name);
    expect(fixture.tags()).toEqual([1, 1]);
    expect(link.ledgerRow()).toMatchObject({ name: 'kprobe.multi:*e* prog1', seen: 2, delivered: 2 });
  });

  it('has a cookie for each function', () => {
    const target = { kind: 'kprobe_multi', on: 'return', symbols: ['leaf', 'frame'], cookies: [5n, 6n] } as const;
    const link = fixture.machine.attach(fixture.program(1, BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI), target);
    fixture.host.call('frame');
    fixture.host.call('leaf');
    expect(fixture.emitted().map(({ cookie }) => cookie)).toEqual([6n, 5n]);
    expect(link.info.hook).toBe('kretprobe.multi:2 functions');
  });

  it('pauses, takes another program, and detaches as one', () => {
    const target = { kind: 'kprobe_multi', on: 'entry', pattern: '*' } as const;
    const make = (tag: number) => fixture.program(tag, BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI);
    const before = fixture.text('frame');
    const link = fixture.machine.attach(make(1), target);
    link.pause();
    fixture.host.call('frame');
    link.resume();
    fixture.host.call('frame');
    link.update(make(2));
    fixture.host.call('leaf');
    link.detach();
    fixture.host.call('leaf');
    expect(fixture.tags()).toEqual([1, 2]);
    expect(fixture.text('frame')).toEqual(before);
    expect(link.ledgerRow()).toMatchObject({ seen: 2, delivered: 2 });
  });

  it('in a session runs at entry, and not at the return that the entry called off', () => {
    const { attach } = parseSectionName('kprobe.session/frame');
    // The fixture's programs return 1.
    const link = fixture.machine.attach(fixture.program(1, BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_SESSION), attach);
    fixture.host.call('frame');
    expect(fixture.tags()).toEqual([1]);
    expect(link.ledgerRow()).toMatchObject({ seen: 1, delivered: 1, pending: 0 });
  });

  it('counts what was missed in its row', () => {
    const target = { kind: 'kprobe_multi', on: 'entry', symbols: ['frame', 'leaf'] } as const;
    const link = fixture.machine.attach(fixture.program(1, BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI), target);
    fixture.onRun = () => void fixture.host.call('leaf');
    fixture.host.call('frame');
    expect(link.ledgerRow()).toMatchObject({ seen: 2, delivered: 1, dropped: { recursion: 1 } });
  });

  it('wants a program that was loaded for it', () => {
    const target = { kind: 'kprobe_multi', on: 'entry', pattern: '*' } as const;
    expect(() => fixture.machine.attach(fixture.program(1), target)).toThrowError(
      /EINVAL.*its section must be kprobe.multi/,
    );
    expect(() => fixture.machine.attach(fixture.program(1, BpfProgType.BPF_PROG_TYPE_XDP), target)).toThrowError(
      /EINVAL/,
    );
  });
});
