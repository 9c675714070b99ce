import { beforeEach, describe, expect, it } from 'vitest';
import { KprobeRegistry, type Kprobe, type KprobeSpec } from '../../src/kprobe/index.js';
import { CALLER, TestHost } from '../support/test-host.js';
import { FRAME, FRAME_INSNS, FRAME_SLOT_INSN, LEAF } from '../support/text.js';

let host: TestHost;
let kprobes: KprobeRegistry;

beforeEach(() => {
  host = new TestHost({
    functions: {
      frame: FRAME,
      leaf: LEAF,
      reads: [0x48, 0x8b, 0x07, 0xc3],
      iret: [0x90, 0x48, 0xcf],
      trap_path: [0x90, 0xc3],
      broken: [0x90, 0xcc, 0xc3],
    },
    blacklist: ['trap_path'],
  });
  kprobes = new KprobeRegistry(host);
});

function text(symbol: string, length = 10): number[] {
  return [...(host.memory.view(host.address(symbol), length) as Uint8Array)];
}

function counting(): { handler: () => number; count: number } {
  const counter = { count: 0, handler: () => (counter.count++, 0) };
  return counter;
}

describe('where a probe may stand', () => {
  it.each<[string, KprobeSpec, string, RegExp]>([
    ['neither symbol nor address', {}, 'EINVAL', /exactly one/],
    ['both', { symbolName: 'frame', addr: 1n }, 'EINVAL', /exactly one/],
    ['an unknown symbol', { symbolName: 'frames' }, 'ENOENT', /similar names: frame/],
    ['an address outside of all symbols', { addr: 0x1000n }, 'ENOENT', /no symbol covers/],
    ['a place in front of all symbols', { symbolName: 'frame', offset: -32 }, 'ENOENT', /at frame-0x20 .*no symbol/],
    ['inside an instruction', { symbolName: 'frame', offset: 2 }, 'EILSEQ', /\+0x0 \+0x1 and \+0x4/],
    [
      'a blacklisted function',
      { symbolName: 'trap_path' },
      'EINVAL',
      /blacklisted: trap_path is part of the trap path/,
    ],
    ['an instruction that leaves the kernel', { symbolName: 'iret', offset: 1 }, 'EOPNOTSUPP', /iret/],
    ["somebody else's breakpoint", { symbolName: 'broken', offset: 1 }, 'EINVAL', /did not place/],
  ])('%s is refused', (_name, spec, code, message) => {
    expect(() => kprobes.register(spec)).toThrowError(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
    );
    expect([...kprobes.probes]).toEqual([]);
    expect(host.text.log).toEqual([]);
  });

  it('is any instruction boundary, by symbol and offset or by address', () => {
    for (const offset of FRAME_INSNS) {
      kprobes.unregister(kprobes.register({ symbolName: 'frame', offset }));
      kprobes.unregister(kprobes.register({ addr: host.address('frame', offset) }));
      kprobes.unregister(kprobes.register({ addr: host.address('frame'), offset }));
    }
    expect(text('frame')).toEqual(FRAME);
  });

  it('counts an offset past the end of the function into the next, as Linux does', () => {
    const probe = kprobes.register({ symbolName: 'frame', offset: 16 });
    expect(probe).toMatchObject({ symbolName: 'leaf', offset: 0, onFunctionEntry: true });
  });
});

describe('a hit', () => {
  it.each(FRAME_INSNS)('at +%i shows the pc behind the breakpoint and changes nothing else', (offset) => {
    const before = host.call('frame', 0, [7n]);
    let ip = 0n;
    kprobes.register({
      symbolName: 'frame',
      offset,
      preHandler: (_probe, regs) => {
        ip = regs.ip;
        return 0;
      },
    });
    const after = host.call('frame', 0, [7n]);
    expect(ip).toBe(host.address('frame', offset) + 1n);
    expect([...after.words]).toEqual([...before.words]);
  });

  it('calls post handlers behind the instruction, simulated or run in a slot', () => {
    for (const offset of [0, FRAME_SLOT_INSN]) {
      const ips: bigint[] = [];
      const probe = kprobes.register({
        symbolName: 'frame',
        offset,
        postHandler: (_probe, regs) => void ips.push(regs.ip),
      });
      host.call('frame');
      kprobes.unregister(probe);
      const next = FRAME_INSNS[FRAME_INSNS.indexOf(offset) + 1];
      expect(ips).toEqual([host.address('frame', next)]);
    }
  });

  it('masks interrupts in the slot and brings them back', () => {
    const probe = kprobes.register({ symbolName: 'frame', offset: FRAME_SLOT_INSN });
    const flags: bigint[] = [];
    host.beforeInsn = (_cpu, regs) => flags.push(regs.get(regs.slot('flags')) & 0x200n);
    const regs = host.call('frame');
    expect(flags).toContain(0n);
    expect(regs.get(regs.slot('flags')) & 0x200n).toBe(0x200n);
    expect(probe.nhit).toBe(1);
  });

  it('goes where a handler sends it, and later probes of the point count a miss', () => {
    const called: string[] = [];
    const last = kprobes.register({ symbolName: 'frame', preHandler: () => (called.push('first registered'), 0) });
    kprobes.register({
      symbolName: 'frame',
      preHandler: (_probe, regs) => {
        called.push('redirecting');
        regs.ip = host.address('leaf', 1);
        return 1;
      },
    });
    host.call('frame');
    expect(called).toEqual(['redirecting']);
    expect(last).toMatchObject({ nhit: 0, nmissed: 0, missed: { redirected: 1 } });
  });

  it('goes on with the probed instruction where a handler returns nothing', () => {
    let hits = 0;
    const handler = (): void => void hits++;
    const probes = [0, 1].map(() => kprobes.register({ symbolName: 'frame', preHandler: handler }));
    const regs = host.call('frame');
    expect(hits).toBe(2);
    expect(probes.map(({ missed }) => missed.redirected)).toEqual([0, 0]);
    expect(regs.ip).toBe(CALLER);
  });

  it('on a CPU that handles another hit is stepped, and counted as missed', () => {
    const inner = kprobes.register({ symbolName: 'leaf', preHandler: () => 0 });
    const outer = kprobes.register({
      symbolName: 'frame',
      offset: FRAME_SLOT_INSN,
      preHandler: (_probe, _regs, cpu) => (host.call('leaf', cpu), 0),
    });
    host.call('frame', 1);
    expect(inner).toMatchObject({ nhit: 0, nmissed: 1 });
    host.call('leaf', 1);
    expect(inner).toMatchObject({ nhit: 1, nmissed: 1 });
    expect(outer).toMatchObject({ nhit: 1, nmissed: 0 });
  });

  it('on another CPU meanwhile is no recursion', () => {
    const inner = kprobes.register({ symbolName: 'leaf', preHandler: () => 0 });
    kprobes.register({ symbolName: 'frame', preHandler: () => (host.call('leaf', 1), 0) });
    host.call('frame', 0);
    expect(inner).toMatchObject({ nhit: 1, nmissed: 0 });
  });

  it('that makes a handler throw leaves the CPU usable', () => {
    const probe = kprobes.register({
      symbolName: 'frame',
      preHandler: () => {
        throw new Error('a bug in the handler');
      },
    });
    expect(() => host.call('frame')).toThrow('a bug in the handler');
    kprobes.unregister(probe);
    const other = kprobes.register({ symbolName: 'leaf', preHandler: () => 0 });
    host.call('leaf');
    expect(other.nhit).toBe(1);
    expect(text('frame')).toEqual(FRAME);
  });
});

describe('a memory fault in a slot', () => {
  it('is shown at the probed instruction, which can be hit again', () => {
    const probe = kprobes.register({ symbolName: 'frame', offset: FRAME_SLOT_INSN, preHandler: () => 0 });
    const regs = host.enter('frame');
    regs.ip = host.address('frame', FRAME_SLOT_INSN);
    host.step(0, regs);
    expect(regs.ip).not.toBe(host.address('frame', FRAME_SLOT_INSN));
    expect(host.text.fault(0, regs)).toBe(true);
    expect(regs.ip).toBe(host.address('frame', FRAME_SLOT_INSN));
    expect(regs.get(regs.slot('flags'))).toBe(0x202n);
    host.run(0, regs, host.address('frame', 8));
    expect(probe).toMatchObject({ nhit: 2, nmissed: 0 });
  });

  it('is met there by an instruction whose simulation faults: mov (%rdi),%rax', () => {
    const probe = kprobes.register({ symbolName: 'reads' });
    const regs = host.enter('reads', [0x1000n]);
    host.step(0, regs);
    expect(host.symbols.at(regs.ip)).toBeUndefined();
    expect(host.text.fault(0, regs)).toBe(true);
    expect(regs.ip).toBe(host.address('reads'));
    expect(probe.nhit).toBe(1);

    regs.put(regs.slot('di'), host.address('leaf'));
    host.step(0, regs);
    expect(regs.ip).toBe(host.address('reads', 3));
    expect(regs.get(regs.slot('ax')) & 0xffffn).toBe(0xc390n);
    expect(probe.nhit).toBe(2);
  });

  it('elsewhere is none of ours', () => {
    expect(host.text.fault(0, host.enter('frame'))).toBe(false);
  });
});

describe('an NMI while a displaced instruction runs in its slot', () => {
  it('has its own hits stepped and missed, and gives the slot back', () => {
    const probe = kprobes.register({ symbolName: 'frame', offset: FRAME_SLOT_INSN, preHandler: () => 0 });
    const regs = host.enter('frame', [5n]);
    host.run(0, regs, host.address('frame', FRAME_SLOT_INSN));
    host.step(0, regs);
    expect(host.call('frame', 0, [6n]).get(10)).toBe(6n);
    host.run(0, regs);
    expect(regs.get(10)).toBe(5n);
    expect(probe).toMatchObject({ nhit: 1, nmissed: 1 });
    host.call('frame');
    expect(probe).toMatchObject({ nhit: 2, nmissed: 1 });
  });
});

describe('several probes at one address', () => {
  it('share the point and are called newest first', () => {
    const order: string[] = [];
    const add = (name: string): Kprobe =>
      kprobes.register({ symbolName: 'frame', preHandler: () => (order.push(name), 0) });
    const probes = ['a', 'b', 'c'].map(add);
    host.call('frame');
    expect(order).toEqual(['c', 'b', 'a']);
    expect(host.text.log).toEqual(['patch frame+0x0 55 -> cc']);
    probes.forEach((probe) => kprobes.unregister(probe));
    expect(host.text.log.slice(1)).toEqual(['patch frame+0x0 cc -> 55']);
  });

  it('see original bytes, also when a neighbour is probed', () => {
    FRAME_INSNS.forEach((offset) => kprobes.register({ symbolName: 'frame', offset }));
    FRAME_INSNS.forEach((offset) => kprobes.register({ symbolName: 'frame', offset }));
    expect(host.call('frame', 0, [9n]).get(10)).toBe(9n);
  });

  it('keep the breakpoint while one is enabled', () => {
    const [a, b] = [counting(), counting()];
    const first = kprobes.register({ symbolName: 'leaf', preHandler: a.handler });
    const second = kprobes.register({ symbolName: 'leaf', preHandler: b.handler, disabled: true });
    host.call('leaf');
    kprobes.disable(first);
    expect(text('leaf', 2)).toEqual(LEAF);
    host.call('leaf');
    kprobes.enable(second);
    host.call('leaf');
    expect([a.count, b.count]).toEqual([1, 1]);
    expect(host.text.log).toEqual(['patch leaf+0x0 90 -> cc', 'patch leaf+0x0 cc -> 90', 'patch leaf+0x0 90 -> cc']);
  });

  it('cannot be enabled once unregistered', () => {
    const probe = kprobes.register({ symbolName: 'leaf' });
    kprobes.unregister(probe);
    kprobes.unregister(probe);
    expect(() => kprobes.enable(probe)).toThrowError(/EINVAL/);
  });
});

describe('from inside a handler', () => {
  it('a probe may remove itself and others: none of them is called afterwards', () => {
    const called: string[] = [];
    const old = kprobes.register({
      symbolName: 'frame',
      offset: FRAME_SLOT_INSN,
      preHandler: () => (called.push('old'), 0),
    });
    const self: Kprobe = kprobes.register({
      symbolName: 'frame',
      offset: FRAME_SLOT_INSN,
      preHandler: () => {
        called.push('self');
        kprobes.unregister(self);
        kprobes.unregister(old);
        return 0;
      },
    });
    expect(host.call('frame', 0, [3n]).get(10)).toBe(3n);
    host.call('frame');
    expect(called).toEqual(['self']);
    expect(text('frame')).toEqual(FRAME);
    expect(host.text.allocated).toBe(0);
  });

  it('frees the slot only when the hit has left it', () => {
    const self: Kprobe = kprobes.register({
      symbolName: 'frame',
      offset: FRAME_SLOT_INSN,
      preHandler: () => (kprobes.unregister(self), 0),
    });
    const allocated: number[] = [];
    host.beforeInsn = () => allocated.push(host.text.allocated);
    host.call('frame');
    expect(allocated.slice(-4)).toEqual([4096, 4096, 0, 0]);
    expect(host.text.log.map((line) => line.split(' ')[0])).toEqual(['alloc', 'patch', 'patch', 'patch', 'free']);
  });

  it('a post handler may remove the next one', () => {
    const called: string[] = [];
    const old = kprobes.register({ symbolName: 'leaf', postHandler: () => void called.push('old') });
    kprobes.register({
      symbolName: 'leaf',
      postHandler: () => {
        called.push('new');
        kprobes.unregister(old);
      },
    });
    host.call('leaf');
    expect(called).toEqual(['new']);
  });

  it('a probe added to the point waits for the next hit', () => {
    const added = counting();
    let once = true;
    kprobes.register({
      symbolName: 'leaf',
      preHandler: () => {
        if (once) kprobes.register({ symbolName: 'leaf', preHandler: added.handler });
        once = false;
        return 0;
      },
    });
    host.call('leaf');
    expect(added.count).toBe(0);
    host.call('leaf');
    expect(added.count).toBe(1);
  });
});

describe('a breakpoint that is not a probe', () => {
  it('is left to the host', () => {
    expect(() => host.call('broken')).toThrow('oops: int3 at broken+0x1');
  });

  it('is not taken for that of a disabled probe', () => {
    const probe = kprobes.register({ symbolName: 'leaf', preHandler: () => 0, disabled: true });
    host.memory.write(host.address('leaf'), [0xcc]);
    expect(() => host.call('leaf')).toThrow('oops');
    expect(probe.nhit).toBe(0);
  });

  it('and has been removed meanwhile is executed anew', () => {
    const probe = kprobes.register({ symbolName: 'leaf', preHandler: () => 0 });
    const regs = host.enter('leaf');
    regs.ip += 1n; // The CPU has met the breakpoint, its trap is on the way.
    kprobes.unregister(probe);
    expect(host.text.trap(0, regs)).toBe(true);
    expect(regs.ip).toBe(host.address('leaf'));
    expect(probe.nhit).toBe(0);
  });

  it('in user mode is left to the host', () => {
    kprobes.register({ symbolName: 'leaf' });
    const regs = host.enter('leaf');
    regs.ip += 1n;
    expect(host.text.trap(0, regs, true)).toBe(false);
  });
});

describe('text that somebody else patches too', () => {
  it('makes arming fail and leaves nothing behind', () => {
    const probe = kprobes.register({ symbolName: 'leaf', disabled: true });
    host.memory.write(host.address('leaf'), [0xcc]);
    expect(() => kprobes.enable(probe)).toThrowError(/EIO.*somebody else/);
  });
});
