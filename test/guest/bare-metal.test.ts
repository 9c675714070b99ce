import { afterAll, beforeAll, expect, it } from 'vitest';
import { hi32, lo32 } from '../../src/base/index.js';
import type { QemuHost } from '../../src/host/qemu/index.js';
import { insnBoundaries } from '../../src/kprobe/index.js';
import { type Link, Machine } from '../../src/machine/index.js';
import { describeWith } from '../oracle/describe-with.js';
import { bareArchs, bareKernel } from './kernel/bare-kernel.js';
import { type BareCounts, BareGuest, bareWays, CPUS } from './kernel/bare-guest.js';
import {
  argument,
  comm,
  cpu,
  pidTgid,
  place,
  returned,
  TallyProgram,
  task,
  textAt,
  textBehind,
} from './kernel/tally-program.js';

const MINUTE = 60_000;
const MAILBOX_ROUNDS = Number(process.env['KSCOPE_BARE_ROUNDS'] ?? 100);
/** fib(6) calls fib(n) so many times, by what it returns. */
const FIB_RETURNS = { '0': 5, '1': 13, '2': 3, '3': 2, '5': 1, '8': 1 };
/** sizeof(struct device), struct task */
const DEVICE_SIZE = 88n;
const TASK_SIZE = 64n;

const cases = bareArchs.flatMap((arch) => bareWays(arch).map((way) => ({ arch, way })));

for (const { arch, way } of cases) {
  describeWith(`BPF programs on the bare-metal kernel: ${arch}, traps by ${way}`, bareKernel(arch), (kernel) => {
    // Each stop by the stub has the emulator translate all code anew.
    const rounds = way === 'mailbox' ? MAILBOX_ROUNDS : 1;
    let guest: BareGuest;
    let host: QemuHost;
    let machine: Machine;

    beforeAll(() => {
      guest = new BareGuest(kernel, way);
      host = guest.host;
      machine = new Machine(host);
    }, MINUTE);

    afterAll(() => guest?.close());

    /** What the kernel counted while `rounds` went by, its own breakpoints being as many as its rounds come to. */
    const work = (count = rounds): BareCounts => {
      const done = guest.work(count);
      expect(done['rounds']).toBe(count * CPUS);
      expectSound(guest);
      return done;
    };

    it('count calls at entries, on the CPU and the task that make them', { timeout: MINUTE }, () => {
      const tally = new TallyProgram(machine, 'entries', [cpu, task, pidTgid, comm]);
      const link = machine.attach(tally.program, { kind: 'kprobe', symbol: 'fib', offset: 0 });
      const done = work();
      link.detach();
      const perCpu = (index: number): [string, number] => {
        const pid = BigInt(100 + index);
        const at = guest.addressOf('tasks') + TASK_SIZE * BigInt(index);
        return [`${index} ${at} ${(pid << 32n) | pid} worker/${index}`, (done['fib'] ?? 0) / CPUS];
      };
      expect(done['fib']).toBe(25 * CPUS * rounds);
      expect(tally.rows).toEqual(Object.fromEntries([perCpu(0), perCpu(1)]));
    });

    it('read strings, structures and five arguments', { timeout: MINUTE }, () => {
      const names = new TallyProgram(machine, 'names', [textAt(0)]);
      const reads = new TallyProgram(machine, 'reads', [...[0, 1, 2, 3, 4].map(argument), textAt(1), textBehind(0)]);
      const links = [
        machine.attach(names.program, { kind: 'kprobe', symbol: 'hash_name', offset: 0 }),
        machine.attach(reads.program, { kind: 'kprobe', symbol: 'device_read', offset: 0 }),
      ];
      const [first = 0] = guest.rounds;
      const done = work();
      for (const link of links) link.detach();
      expect(names.rows).toEqual({ disk0: rounds, disk1: rounds });
      expect(reads.runs).toBe(done['device_read']);
      const seen = Object.entries(reads.rows).map(([row, count]) => readOf(row, count));
      expect(new Set(seen.map(({ reason }) => reason)).size, 'one string literal').toBe(1);
      expect(seen.map(({ device, name }) => `${device} ${name}`).every((one) => deviceNames(guest).includes(one))).toBe(
        true,
      );
      const stacks = guest.addressOf('kernel_stacks');
      expect(seen.every(({ to }) => to > stacks && to < stacks + BigInt(CPUS * 16_384))).toBe(true);
      for (const name of ['disk0', 'disk1']) {
        const offsets = seen
          .filter((one) => one.name === name)
          .flatMap((one) => Array<number>(one.count).fill(one.offset));
        expect(offsets.toSorted(byValue)).toEqual(offsetsOf(first, rounds));
      }
      expect(seen.every(({ text, count16 }) => text === 'round' && count16 === 16)).toBe(true);
    });

    it('see each return with its value, nested calls too', { timeout: MINUTE }, () => {
      const reads = new TallyProgram(machine, 'reads', [returned]);
      const fibs = new TallyProgram(machine, 'fibs', [returned]);
      const links = [
        machine.attach(reads.program, { kind: 'kretprobe', symbol: 'device_read', maxactive: 4 }),
        machine.attach(fibs.program, { kind: 'kretprobe', symbol: 'fib', maxactive: 6 * CPUS }),
      ];
      const [first = 0] = guest.rounds;
      const done = work();
      for (const link of links) link.detach();
      const inside = offsetsOf(first, rounds).filter((offset) => offset < 64).length * CPUS;
      const outside = rounds * CPUS - inside;
      expect(reads.rows).toEqual({ ...(inside > 0 && { 16: inside }), ...(outside > 0 && { '-22': outside }) });
      expect(fibs.runs).toBe(done['fib']);
      expect(fibs.rows).toEqual(
        Object.fromEntries(Object.entries(FIB_RETURNS).map(([value, count]) => [value, count * CPUS * rounds])),
      );
    });

    it('stand at every instruction of a function, which does what it did', { timeout: MINUTE }, () => {
      const tally = new TallyProgram(machine, 'places', [place]);
      const offsets = boundaries(host, 'insn_mix');
      const links = offsets.map((offset) =>
        machine.attach(tally.program, { kind: 'kprobe', symbol: 'insn_mix', offset }),
      );
      const done = work();
      for (const link of links) link.detach();
      const hits = hitsAt(guest, tally, 'insn_mix', offsets);
      expect(offsets.length).toBeGreaterThan(50);
      expect([done['insn_mix'], done['insn_mix_wrong']]).toEqual([CPUS * rounds, 0]);
      // Those behind a branch that is taken are never executed, all others once in each call.
      expect([hits[0], hits.at(-1)]).toEqual([done['insn_mix'], done['insn_mix']]);
      expect(hits.filter((count) => count > (done['insn_mix'] ?? 0))).toEqual([]);
      expect(hits.filter((count) => count === done['insn_mix']).length).toBeGreaterThan(40);
    });

    it('count each turn of a loop', { timeout: MINUTE }, () => {
      const tally = new TallyProgram(machine, 'turns', [place]);
      const offsets = boundaries(host, 'sum_words');
      const links = offsets.map((offset) =>
        machine.attach(tally.program, { kind: 'kprobe', symbol: 'sum_words', offset }),
      );
      const done = work();
      for (const link of links) link.detach();
      const hits = hitsAt(guest, tally, 'sum_words', offsets);
      expect(done['sum_words_loops']).toBe(16 * CPUS * rounds);
      expect([hits[0], Math.max(...hits)]).toEqual([done['sum_words'], done['sum_words_loops']]);
    });

    it('live with tail calls, and with frames that are left without returning', { timeout: MINUTE }, () => {
      const tails = new TallyProgram(machine, 'tails', [returned]);
      const thrown = new TallyProgram(machine, 'thrown', [returned]);
      const enter = machine.attach(tails.program, { kind: 'kretprobe', symbol: 'tail_enter', maxactive: 4 });
      const target = machine.attach(tails.program, { kind: 'kretprobe', symbol: 'tail_target', maxactive: 4 });
      const deep = machine.attach(thrown.program, { kind: 'kretprobe', symbol: 'throw_deep', maxactive: 16 });
      const done = work();
      const probe = [...machine.kretprobes.probes].find(({ entry }) => entry.symbolName === 'throw_deep');
      for (const link of [enter, target, deep]) link.detach();
      expect(tails.runs).toBe((done['tail_enter'] ?? 0) + (done['tail_target'] ?? 0));
      expect(done['caught']).toBe(CPUS * rounds);
      expect([thrown.runs, probe?.entry.nhit]).toEqual([0, done['throw_deep']]);
      const { missed, nactive = 0 } = probe ?? {};
      expect((missed?.unwound ?? 0) + (missed?.maxactive ?? 0) + (missed?.unregistered ?? 0) + nactive).toBe(
        done['throw_deep'],
      );
    });

    it('stand beside the kernel’s own breakpoints, which it counts itself', { timeout: MINUTE }, () => {
      const tally = new TallyProgram(machine, 'own', [cpu]);
      const links = ['own_break', 'hash_name'].map((symbol) =>
        machine.attach(tally.program, { kind: 'kprobe', symbol, offset: 0 }),
      );
      const done = work(8);
      for (const link of links) link.detach();
      expect([done['own_breaks'], done['user_breaks'], done['unknown_breaks']]).toEqual([2 * CPUS, CPUS, 0]);
      expect(tally.runs).toBe((done['own_breaks'] ?? 0) + (done['hash_name'] ?? 0));
    });

    it('come and go under load', { timeout: MINUTE }, () => {
      const names = ['hash_name', 'insn_mix', 'device_read'];
      const before = names.map((name) => textOf(host, name));
      const tally = new TallyProgram(machine, 'load', [cpu]);
      const [times, ns] = way === 'mailbox' ? [30, 3e6] : [4, 100e6];
      guest.load(ENOUGH);
      for (let i = 0; i < times; i++) {
        const links: Link[] = [
          machine.attach(tally.program, { kind: 'kprobe', symbol: 'hash_name', offset: 0 }),
          machine.attach(tally.program, {
            kind: 'kprobe',
            symbol: 'insn_mix',
            offset: boundaries(host, 'insn_mix')[i] ?? 0,
          }),
          machine.attach(tally.program, { kind: 'kretprobe', symbol: 'device_read', maxactive: 4 }),
        ];
        guest.run(ns);
        for (const link of links) link.detach();
        guest.run(1e6);
      }
      guest.restSoon();
      expect(tally.runs).toBeGreaterThan(times);
      expect(names.map((name) => textOf(host, name))).toEqual(before);
      expect(guest.counts['insn_mix_wrong']).toBe(0);
      expectSound(guest);
    });

    it('leave a kernel that works on and ends by itself', { timeout: MINUTE }, () => {
      const tally = new TallyProgram(machine, 'gone', [cpu]);
      machine.attach(tally.program, { kind: 'kprobe', symbol: 'do_round', offset: 0 }).detach();
      work(20);
      machine.close();
      const { rounds: worked, ...counts } = guest.counts;
      const told = guest.finish();
      expect(tally.runs).toBe(0);
      expect(told['rounds']).toBe(worked);
      for (const name of ['fib', 'device_read', 'own_breaks', 'user_breaks', 'unknown_breaks', 'insn_mix_wrong']) {
        expect(`${name} ${told[name]}`).toBe(`${name} ${counts[name]}`);
      }
      expect(told['timer_ticks']).toBeGreaterThan(0);
      expect(guest.powerOff()).toBe('exited');
      expect(host.console).not.toContain('KSCOPE-OOPS');
    });
  });
}

/** More rounds than the kernel gets done before it is told to rest. */
const ENOUGH = 10_000_000;

/** The breakpoints that the kernel met are those that its rounds come to, and nobody else's. */
function expectSound(guest: BareGuest): void {
  const { own, user } = guest.breaksDone;
  const { own_breaks, user_breaks, unknown_breaks } = guest.counts;
  expect({ own_breaks, user_breaks, unknown_breaks }).toEqual({
    own_breaks: own,
    user_breaks: user,
    unknown_breaks: 0,
  });
}

interface Read {
  readonly device: bigint;
  readonly reason: string;
  readonly offset: number;
  readonly count16: number;
  readonly to: bigint;
  readonly text: string;
  readonly name: string;
  readonly count: number;
}

function readOf(row: string, count: number): Read {
  const [device = '', reason = '', offset, count16, to = '', text = '', name = ''] = row.split(' ');
  const numbers = { offset: Number(offset), count16: Number(count16), count };
  return { device: BigInt(device), reason, to: BigInt(to), text, name, ...numbers };
}

function deviceNames(guest: BareGuest): string[] {
  return [0n, 1n].map((index) => `${guest.addressOf('devices') + DEVICE_SIZE * index} disk${index}`);
}

/** Offsets that device_read is asked for in rounds from `first` on. */
function offsetsOf(first: number, rounds: number): number[] {
  return Array.from({ length: rounds }, (_, i) => (first + i) % 96).toSorted(byValue);
}

function byValue(a: number, b: number): number {
  return a - b;
}

function textOf(host: QemuHost, name: string): string {
  const { address = 0n, size = 0n } = host.symbols.lookup(name) ?? {};
  const bytes = new Uint8Array(Number(size));
  expect(host.memory.readKernel(lo32(address), hi32(address), bytes, 0, bytes.length)).toBe(true);
  return Buffer.from(bytes).toString('hex');
}

function hitsAt(guest: BareGuest, { rows }: TallyProgram, name: string, offsets: readonly number[]): number[] {
  return offsets.map((offset) => rows[String(guest.addressOf(name) + BigInt(offset))] ?? 0);
}

/** Where instructions begin, up to padding. */
function boundaries(host: QemuHost, name: string): number[] {
  return insnBoundaries(host.arch.probing, Buffer.from(textOf(host, name), 'hex'));
}
