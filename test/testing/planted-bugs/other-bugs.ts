import { hi32, lo32, u64 } from '../../../src/base/index.js';
import { SymbolTable } from '../../../src/host/index.js';
import { bugIn, override, type PlantedBug } from './planted-bug.js';

export const otherBugs: readonly PlantedBug[] = [
  bugIn('clock', 'monotonic time runs backwards now and then', 'clock: monotonic never goes back', (clock) => {
    let readings = 0;
    return {
      monotonic(out) {
        clock.monotonic(out);
        if (++readings % 3 === 0) put(out, u64(out[0], out[1]) / 2n);
      },
    };
  }),
  bugIn(
    'clock',
    'boottime forgets what passed before',
    'clock: boottime, realtime and tai agree with monotonic',
    (clock) => ({
      boottime(out) {
        clock.boottime(out);
        add(out, -1_000_000n);
      },
    }),
  ),
  bugIn('clock', 'realtime counts microseconds', 'clock: boottime, realtime and tai agree with monotonic', (clock) => ({
    realtime(out) {
      clock.realtime(out);
      put(out, u64(out[0], out[1]) / 1000n);
    },
  })),
  bugIn(
    'clock',
    'the clock that is said to stand still in handlers goes on',
    'clock: stands still in a handler where stopsClock says so',
    (clock) => {
      let readings = 0n;
      return {
        monotonic(out) {
          clock.monotonic(out);
          add(out, ++readings);
        },
        boottime(out) {
          clock.boottime(out);
          add(out, readings);
        },
      };
    },
  ),
  bugIn('clock', 'jiffies count down', 'clock: jiffies never go back', (clock) => ({
    jiffies(out) {
      clock.jiffies(out);
      put(out, 1_000_000n - u64(out[0], out[1]));
    },
  })),
  bugIn(
    'tasks',
    'comm fills all of its 16 bytes',
    'tasks: comm ends with a NUL within 16 bytes and touches no others',
    (tasks) => ({
      comm(dst, offset) {
        const ok = tasks.comm(dst, offset);
        for (let i = 0; i < 16; i++) dst[offset + i] ||= 0x20;
        return ok;
      },
    }),
  ),
  bugIn('tasks', 'names are looked up by tgid', 'tasks: commOf knows the current task by its pid', () => ({
    commOf: (pid) => `task ${pid}`,
  })),
  bugIn(
    'tasks',
    'the first task is always current',
    'btf: pid and tgid at their offsets in current are those of pidTgid',
    (_tasks, { host }) => ({ current: (out) => put(out, host.symbols.lookup('init_task')?.address ?? 0n) }),
  ),
  bugIn(
    'tasks',
    'current is the pointer to current',
    'tasks: current is a task of the kernel, pid and tgid are its',
    () => ({ current: (out) => put(out, 0x7fff_0000_1000n) }),
  ),
  bugIn(
    'tasks',
    'exits are told for ever',
    'tasks: onExit tells each task that has gone, until it is ended',
    (tasks) => ({
      onExit(handler) {
        tasks.onExit?.(handler);
        return () => {};
      },
    }),
  ),
  bugIn(
    'stacks',
    'stack walks do not look at the room',
    'stacks: kernel frames begin at the pc, as many as there is room for',
    (stacks) => ({
      kernel: (regs, out, max) => Math.min(stacks.kernel(regs, out, max + 1), max),
    }),
  ),
  bugIn('stacks', 'user stacks have a kernel frame', 'stacks: user frames are user addresses', (stacks) => ({
    user(regs, out, max) {
      const found = stacks.user(regs, out, max);
      if (found > 0) out[2 * (found - 1) + 1] = -1;
      return found;
    },
  })),
  {
    name: 'symbols are one byte too long',
    finds: 'symbols: functions do not overlap',
    plant(subject) {
      const longer = [...subject.host.symbols].map((symbol) => ({
        ...symbol,
        size: symbol.size === 0n ? 0n : symbol.size + 1n,
      }));
      return { ...subject, host: override(subject.host, { symbols: new SymbolTable(longer) }) };
    },
  },
  bugIn('symbols', 'aliases are lost', 'symbols: each is found by its name, aliases included', (symbols) => ({
    lookupAll: (name) => symbols.lookupAll(name).slice(1),
  })),
  bugIn('symbols', 'offsets are decimal', 'symbols: addresses are named as the kernel names them', (symbols) => ({
    format: (address) => symbols.format(address).replace('+0x', '+'),
  })),
  bugIn(
    'symbols',
    'an address behind a symbol is named by it',
    'symbols: each holds its first and last byte, and not the one behind',
    (symbols) => ({ at: (address) => symbols.at(address) ?? symbols.at(address - 1n) }),
  ),
  bugIn(
    'tracepoints',
    'a disabled tracepoint goes on',
    'tracepoints: none arrive before one is enabled or after it is disabled',
    (tracepoints) => ({
      setEnabled(index, enabled) {
        if (enabled) tracepoints.setEnabled(index, enabled);
      },
    }),
  ),
  bugIn(
    'tracepoints',
    'arguments come as one word each',
    'tracepoints: hits arrive while one is enabled, with its arguments and CPU',
    (tracepoints) => ({
      setSink: (sink) =>
        tracepoints.setSink(
          sink === null ? null : (index, args, cpu) => sink(index, args.subarray(args.length / 2), cpu),
        ),
    }),
  ),
  bugIn('sampler', 'a stopped sampler goes on', 'sampler: stops when it is told to', (sampler) => ({
    start(cpu, periodNs, handler) {
      sampler.start(cpu, periodNs, handler);
      return () => {};
    },
  })),
  bugIn(
    'sampler',
    'samples of all CPUs go to all handlers',
    'sampler: samples come from the CPU asked for, with a true user flag',
    (sampler) => ({ start: (_cpu, periodNs, handler) => sampler.start(0, periodNs, handler) }),
  ),
  {
    name: 'sampling is promised and not there',
    finds: 'capabilities: agree with what is there',
    plant: (subject) => ({ ...subject, host: override(subject.host, { sampler: null }) }),
  },
];

function put(out: Int32Array, value: bigint): void {
  out[0] = lo32(value);
  out[1] = hi32(value);
}

function add(out: Int32Array, value: bigint): void {
  put(out, u64(out[0], out[1]) + value);
}
