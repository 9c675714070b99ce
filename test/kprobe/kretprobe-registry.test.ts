import { beforeEach, describe, expect, it } from 'vitest';
import { X86Slot, type PtRegs } from '../../src/arch/index.js';
import {
  KprobeRegistry,
  KRETPROBE_MAXACTIVE_MAX,
  KretprobeRegistry,
  type Kretprobe,
  type KretprobeSpec,
} from '../../src/kprobe/index.js';
import type { FollowedReturn } from '../../src/host/index.js';
import { CALLER, makeTask, TestHost } from '../support/test-host.js';
import { call, FRAME, jump, LEAF } from '../support/text.js';

/** frame at 0, leaf at 16, caller at 32 (calls leaf at 33..38), tail at 48 (jumps to leaf). */
const FUNCTIONS = { frame: FRAME, leaf: LEAF, caller: [0x90, ...call(16 - 38), 0xc3], tail: jump(16 - 53) };
const TRAMPOLINE = 0xffff_ffff_8300_0000n;

let host: TestHost;
let kprobes: KprobeRegistry;
let kretprobes: KretprobeRegistry;

beforeEach(() => {
  host = new TestHost({ functions: FUNCTIONS });
  kprobes = new KprobeRegistry(host);
  kretprobes = new KretprobeRegistry(kprobes);
});

function watch(symbolName: string, log: string[] = [], spec: Partial<KretprobeSpec> = {}): Kretprobe {
  return kretprobes.register({ symbolName, handler: () => void log.push(symbolName), ...spec });
}

/** Calls = handled + missed, and nothing is left behind. */
function expectAccounted(probe: Kretprobe): void {
  const { maxactive, fault, unwound, exited, unregistered } = probe.missed;
  const missed = maxactive + fault + unwound + exited + unregistered;
  expect(probe.nreturned + probe.nskipped + probe.nactive + missed).toBe(probe.entry.nhit);
}

describe('a return probe', () => {
  it('shows the return value, the real return address and the stack behind it', () => {
    const seen: Record<string, bigint>[] = [];
    watch('frame', [], {
      handler: (instance, regs) => {
        seen.push({
          ax: regs.get(X86Slot.ax),
          ip: regs.ip,
          sp: regs.sp,
          orig: regs.get(X86Slot.orig_ax),
          ret: instance.retAddr,
        });
      },
    });
    const top = host.enter('frame').sp;
    const regs = host.call('frame', 0, [42n]);
    expect(seen).toEqual([{ ax: 42n, ip: CALLER, sp: top + 8n, orig: 0xffff_ffff_ffff_ffffn, ret: CALLER }]);
    expect(regs.ip).toBe(CALLER);
    expect(kretprobes.tasksInCalls).toBe(0);
  });

  it('follows calls whose entry handler returns nothing', () => {
    const log: string[] = [];
    const probe = watch('frame', log, { entryHandler: () => undefined });
    host.call('frame');
    expect(log).toEqual(['frame']);
    expect(probe.nskipped).toBe(0);
  });

  it('loses no instance to an entry handler that throws', () => {
    const log: string[] = [];
    let bad = true;
    const entryHandler = (): void => {
      if (bad) throw new Error('entry');
    };
    const probe = watch('frame', log, { entryHandler, maxactive: 1 });
    expect(() => host.call('frame')).toThrowError('entry');
    expectAccounted(probe);
    bad = false;
    host.call('frame');
    expect(log).toEqual(['frame']);
    expectAccounted(probe);
  });

  it('carries what the entry handler left to the return handler', () => {
    const durations: unknown[] = [];
    watch('frame', [], {
      entryHandler: (instance) => {
        instance.data = host.now;
        host.now += 250n;
        return 0;
      },
      handler: (instance) => void durations.push(host.now - (instance.data as bigint)),
    });
    host.call('frame');
    expect(durations).toEqual([250n]);
  });

  it('is not followed where the entry handler says so, and that is no miss', () => {
    const log: string[] = [];
    const probe = watch('frame', log, { entryHandler: (_instance, regs) => Number(regs.get(X86Slot.di)) });
    host.call('frame', 0, [1n]);
    host.call('frame', 0, [0n]);
    expect(log).toEqual(['frame']);
    expect(probe).toMatchObject({ nskipped: 1, nreturned: 1, nmissed: 0 });
    expectAccounted(probe);
  });

  it('does not let a handler change where the function returns to', () => {
    watch('frame', [], { handler: (_instance, regs) => void (regs.ip = 0x1234n) });
    expect(host.call('frame').ip).toBe(CALLER);
  });

  it.each<[string, Partial<KretprobeSpec>, string]>([
    ['inside a function', { symbolName: 'frame', offset: 1 }, 'EINVAL'],
    ['an unknown function', { symbolName: 'nowhere' }, 'ENOENT'],
    ['more instances than Linux allows', { symbolName: 'frame', maxactive: KRETPROBE_MAXACTIVE_MAX + 1 }, 'EINVAL'],
    ['a fraction of an instance', { symbolName: 'frame', maxactive: 1.5 }, 'EINVAL'],
  ])('for %s is refused', (_name, spec, code) => {
    expect(() => kretprobes.register({ handler: () => {}, ...spec })).toThrowError(
      expect.objectContaining({ code }) as Error,
    );
    expect([...kprobes.probes]).toEqual([]);
  });

  it('has as many instances as Linux gives it by default', () => {
    expect(watch('frame').maxactive).toBe(10);
    expect(
      new KretprobeRegistry(new KprobeRegistry(new TestHost({ cpus: 8, functions: FUNCTIONS }))).register({
        symbolName: 'frame',
        handler: () => {},
      }).maxactive,
    ).toBe(16);
  });
});

describe('several calls of one task', () => {
  it('nest: the inner function returns first', () => {
    const log: string[] = [];
    watch('caller', log);
    watch('leaf', log);
    host.call('caller');
    expect(log).toEqual(['leaf', 'caller']);
  });

  it('on one function run the newest probe first, and find the real address through each other', () => {
    const log: string[] = [];
    const ips: bigint[] = [];
    const handler = (name: string) => (_instance: unknown, regs: PtRegs) => {
      log.push(name);
      ips.push(regs.ip);
    };
    kretprobes.register({ symbolName: 'leaf', handler: handler('first') });
    kretprobes.register({ symbolName: 'leaf', handler: handler('second') });
    host.call('leaf');
    // The newest probe is hit first, so its instance lies deepest: the other one's is on top at the return.
    expect(log).toEqual(['first', 'second']);
    expect(ips).toEqual([CALLER, CALLER]);
  });

  it('survive a tail call', () => {
    const log: string[] = [];
    watch('tail', log);
    watch('leaf', log);
    expect(host.call('tail').ip).toBe(CALLER);
    expect(log).toEqual(['leaf', 'tail']);
  });

  it('survive frames that were left without returning', () => {
    const outer = watch('caller');
    const inner = watch('leaf');
    const regs = host.enter('caller');
    const { sp } = regs;
    host.run(0, regs, host.address('leaf', 1));
    // longjmp: out of leaf, back to the instruction behind the call.
    regs.sp = sp;
    regs.ip = host.address('caller', 6);
    host.run(0, regs);
    expect(inner.missed.unwound).toBe(1);
    expect(outer.nreturned).toBe(1);
    [inner, outer].forEach(expectAccounted);
    expect(kretprobes.tasksInCalls).toBe(0);
  });
});

describe('instances', () => {
  it('run out: the calls beyond are missed and return unseen', () => {
    const probe = watch('leaf', [], { maxactive: 1 });
    const first = host.enter('leaf', [], makeTask(1));
    host.current[0] = makeTask(1);
    host.step(0, first);
    host.current[0] = makeTask(2);
    host.call('leaf');
    host.current[0] = makeTask(1);
    host.run(0, first);
    expect(probe).toMatchObject({ nreturned: 1, nmissed: 1, nactive: 0 });
    expectAccounted(probe);
  });

  it('belong to the task, not to the CPU: a call may return elsewhere', () => {
    const cpus: number[] = [];
    watch('leaf', [], { handler: (_instance, _regs, cpu) => void cpus.push(cpu) });
    const regs = host.enter('leaf');
    host.step(0, regs);
    const [here, there] = [host.current[0], host.current[1]];
    Object.assign(host.current, { 0: there, 1: here });
    host.call('leaf', 0);
    host.run(1, regs);
    expect(cpus).toEqual([0, 1]);
  });

  it('of a task that ends inside the function come back', () => {
    const probe = watch('leaf', [], { maxactive: 1 });
    host.step(0, host.enter('leaf'));
    host.exitTask(host.task);
    expect(probe).toMatchObject({ nactive: 0, missed: { exited: 1 } });
    host.call('leaf');
    expect(probe.nreturned).toBe(1);
    expectAccounted(probe);
  });

  it('under way when the probe is removed still find their way back', () => {
    const log: string[] = [];
    const probe = watch('leaf', log);
    const regs = host.enter('leaf');
    host.step(0, regs);
    kretprobes.unregister(probe);
    expect(() => host.run(0, regs)).not.toThrow();
    expect(log).toEqual([]);
    expect(probe).toMatchObject({ nactive: 0, missed: { unregistered: 1 } });
    expectAccounted(probe);
  });

  it('are told to a host that lets its machine go, until the last has returned', () => {
    let followed: (() => Iterable<FollowedReturn>) | undefined;
    const onRelease = (calls: () => Iterable<FollowedReturn>): (() => void) => {
      followed = calls;
      return () => (followed = undefined);
    };
    Object.assign(host.text, { onRelease });
    kprobes = new KprobeRegistry(host);
    kretprobes = new KretprobeRegistry(kprobes);
    watch('tail');
    watch('leaf');
    const regs = host.enter('tail');
    const frame = regs.sp;
    expect([...(followed?.() ?? [])]).toEqual([]);
    host.step(0, regs);
    host.step(0, regs);
    // Both calls share a frame: where it returns to the first has found.
    expect(kretprobes.tasksInCalls).toBe(1);
    expect([...(followed?.() ?? [])]).toEqual([{ frame, address: CALLER }]);
    kretprobes.close();
    expect([...(followed?.() ?? [])]).toEqual([{ frame, address: CALLER }]);
    host.run(0, regs);
    expect(followed).toBeUndefined();
  });

  it('of a disabled probe still report the calls under way', () => {
    const log: string[] = [];
    const probe = watch('leaf', log);
    const regs = host.enter('leaf');
    host.step(0, regs);
    kretprobes.disable(probe);
    host.run(0, regs);
    host.call('leaf');
    kretprobes.enable(probe);
    host.call('leaf');
    expect(log).toEqual(['leaf', 'leaf']);
  });
});

it('an entry that was missed as recursion is in the account of the entry probe', () => {
  const probe = watch('leaf');
  kprobes.register({ symbolName: 'frame', preHandler: (_probe, _regs, cpu) => (host.call('leaf', cpu), 0) });
  host.call('frame');
  expect(probe).toMatchObject({ nreturned: 0, entry: { nhit: 0, nmissed: 1 } });
});

it('a probe hit while a return handler runs is missed', () => {
  const inner = kprobes.register({ symbolName: 'leaf', preHandler: () => 0 });
  watch('frame', [], { handler: (_instance, _regs, cpu) => void host.call('leaf', cpu) });
  host.call('frame');
  expect(inner).toMatchObject({ nhit: 0, nmissed: 1 });
});

it('stack walks get the real return addresses back', () => {
  watch('caller');
  watch('leaf');
  watch('leaf');
  const regs = host.enter('caller');
  host.run(0, regs, host.address('leaf', 1));
  const at = (address: bigint): number[] => [
    Number(BigInt.asIntN(32, address)),
    Number(BigInt.asIntN(32, address >> 32n)),
  ];
  const frames = Int32Array.from([...at(regs.ip), ...at(TRAMPOLINE), ...at(TRAMPOLINE), ...at(0x99n)]);
  kretprobes.recoverStack(frames, 4);
  expect([...frames]).toEqual([...at(regs.ip), ...at(host.address('caller', 6)), ...at(CALLER), ...at(0x99n)]);
});

it('a trap at the trampoline of a task in no followed call is left to the host', () => {
  watch('leaf');
  const regs = host.enter('leaf');
  regs.ip = TRAMPOLINE;
  expect(() => host.step(0, regs)).toThrow(/oops/);
});

it('a host without a trampoline says so', () => {
  Object.assign(host.text, { returnTrampoline: null });
  expect(() => watch('leaf')).toThrowError(/EOPNOTSUPP.*test has no return trampoline/);
});
