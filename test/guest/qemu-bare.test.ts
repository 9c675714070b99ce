import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Arch, arm64, loongarch64, type PtRegs, riscv64 } from '../../src/arch/index.js';
import { hi32, lo32 } from '../../src/base/index.js';
import { IdentityTables } from '../../src/host/guest/index.js';
import { type KernelSymbol, SymbolTable } from '../../src/host/index.js';
import { QemuHost, type QemuHostOptions, type TrapArch } from '../../src/host/qemu/index.js';
import { QemuProcess } from '../../src/host/qemu/node/index.js';
import { insnBoundaries, type Kprobe, KprobeRegistry, KretprobeRegistry } from '../../src/kprobe/index.js';
import { describeWith } from '../oracle/describe-with.js';
import { type BareArch, bareArchs, bareKernel, type BareKernel } from './kernel/bare-kernel.js';

const MINUTES = 60_000;
const CPUS = 2;
/** Offsets in `struct control`. */
const HOLD_START = 8;
const HOLD_END = 16;

const ARCHS: Readonly<Record<BareArch, Arch>> = { riscv64, arm64, loongarch64 };

/** The kernel has no paging, and keeps the current task where its README says. */
const TRAPS: Readonly<Record<BareArch, Partial<TrapArch>>> = {
  riscv64: { stubParameter: () => 32n },
  arm64: { current: (cpu) => cpu.get('TPIDR_EL1'), postsCurrent: () => false },
  loongarch64: {},
};

const WAYS: Readonly<Record<string, Pick<QemuHostOptions, 'trap' | 'breakpoints'>>> = {
  stub: { trap: 'stub' },
  'stub, bytes': { trap: 'stub', breakpoints: 'bytes' },
  mailbox: { trap: 'mailbox' },
};

const cases = bareArchs.flatMap((arch) =>
  Object.keys(WAYS)
    .filter((way) => way !== 'mailbox' || arch !== 'loongarch64')
    .map((way) => ({ arch, way })),
);

for (const { arch, way } of cases) {
  describeWith(`probes on the bare-metal kernel: ${arch}, traps by ${way}`, bareKernel(arch), (kernel) => {
    const rounds = way === 'mailbox' ? 200 : 8;
    const all = rounds * CPUS;
    let machine: QemuProcess;
    let host: QemuHost;

    beforeAll(() => {
      machine = boot(kernel, rounds);
      host = new QemuHost({
        machine,
        arch: ARCHS[arch],
        symbols: symbolsOf(kernel),
        execRoom: { address: addressOf(kernel, 'probe_pages'), size: 65_536 },
        traps: { tables: () => new IdentityTables(), root: () => 0, kernelRoot: () => 0, ...TRAPS[arch] },
        ...WAYS[way],
      });
    }, MINUTES);

    afterAll(() => host?.close());

    it(
      'count what the kernel counts, at entries, offsets and returns, its own breakpoints untouched',
      { timeout: 3 * MINUTES },
      () => {
        const kprobes = new KprobeRegistry(host);
        const kretprobes = new KretprobeRegistry(kprobes);
        const cpus = new Set<number>();
        const names = new Map<string, number>();
        const fib = kprobes.register({ symbolName: 'fib', preHandler: (_probe, _regs, cpu) => (cpus.add(cpu), 0) });
        const hash = kprobes.register({
          symbolName: 'hash_name',
          preHandler(_probe, regs) {
            const name = textAt(host, argument(regs, 0));
            names.set(name, (names.get(name) ?? 0) + 1);
            return 0;
          },
        });
        const offsets = everyOffset(host, kprobes, 'sum_words');
        const returned: bigint[] = [];
        const sum = kretprobes.register({
          symbolName: 'device_read',
          handler: (_instance, regs) => void returned.push(regs.get(regs.layout.ret)),
        });
        const tail = kretprobes.register({ symbolName: 'tail_enter', handler: () => {} });
        const target = kretprobes.register({ symbolName: 'tail_target', handler: () => {} });
        const thrown = kretprobes.register({ symbolName: 'throw_deep', maxactive: 16, handler: () => {} });
        const counts = work(host, kernel);
        for (const probe of [sum, tail, target, thrown]) kretprobes.unregister(probe);
        for (const probe of [fib, hash, ...offsets]) kprobes.unregister(probe);
        expect(counts.get('rounds')).toBe(all);
        expect(fib.nhit).toBe(counts.get('fib'));
        expect([...cpus].toSorted((a, b) => a - b)).toEqual([0, 1]);
        expect(hash.nhit).toBe(counts.get('hash_name'));
        expect([...names.values()].reduce((a, b) => a + b, 0)).toBe(all);
        expect(
          [...names.keys()].every((name) => /^[\x20-\x7e]+$/.test(name)),
          [...names.keys()].join(),
        ).toBe(true);
        // The first instruction is executed once a call, one of the loop sixteen times.
        expect(offsets[0]?.nhit).toBe(counts.get('sum_words'));
        expect(Math.max(...offsets.map(({ nhit }) => nhit))).toBeGreaterThanOrEqual(
          counts.get('sum_words_loops') ?? Infinity,
        );
        expect(returned.length).toBe(counts.get('device_read'));
        expect([tail.nreturned, target.nreturned]).toEqual([counts.get('tail_enter'), counts.get('tail_target')]);
        // Frames that are left without a return keep what follows them, as in Linux, until none is left.
        const { unwound, maxactive } = thrown.missed;
        expect(unwound + maxactive + thrown.nactive + thrown.nreturned).toBe(counts.get('throw_deep'));
        expect(counts.get('own_breaks')).toBe(CPUS * Math.ceil(rounds / 4));
        expect(counts.get('user_breaks')).toBe(CPUS * Math.ceil(rounds / 8));
        expect([counts.get('unknown_breaks'), counts.get('insn_mix_wrong')]).toEqual([0, 0]);
        expect(host.console).not.toContain('KSCOPE-OOPS');
      },
    );

    it('is as it was when the probes are gone, and ends by itself', { timeout: MINUTES }, () => {
      poke(host, kernel, HOLD_END, 0);
      host.run({ ns: 20e9, until: () => host.console.includes('KSCOPE-DONE') });
      expect(host.console).toContain('KSCOPE-DONE');
      expect(host.run({ ns: 10e9 })).toBe('exited');
    });
  });
}

/** The kernel on its way, held before its first round. */
function boot(kernel: BareKernel, rounds: number): QemuProcess {
  const control = addressOf(kernel, 'control');
  const loader = (offset: number, value: number): string[] => [
    '-device',
    `loader,addr=${control + BigInt(offset)},data=${value},data-len=8`,
  ];
  const bios = kernel.arch === 'riscv64' ? ['-bios', 'none'] : [];
  const extra = [...bios, ...loader(0, rounds), ...loader(HOLD_START, 1), ...loader(HOLD_END, 1)];
  const machine = new QemuProcess({ arch: kernel.arch, kernel: kernel.path, append: null, cpus: CPUS, extra });
  machine.client.resume();
  const end = performance.now() + 20_000;
  while (!machine.console.text.includes('KSCOPE-BOOT') && performance.now() < end) machine.client.waitStop(10);
  // The other CPU comes up after the greeting.
  machine.client.waitStop(200);
  machine.client.interrupt();
  machine.client.waitStop(5000);
  return machine;
}

/** Lets the kernel do its rounds; what it printed of them. */
function work(host: QemuHost, kernel: BareKernel): ReadonlyMap<string, number> {
  poke(host, kernel, HOLD_START, 0);
  const why = host.run({ ns: 120e9, until: () => host.console.includes('KSCOPE-COUNTS shared_total') });
  if (why !== 'until') throw new Error(`the kernel ended: ${why}; it said ${host.console.slice(-500)}`);
  host.run({ ns: 100e6 });
  return new Map(
    [...host.console.matchAll(/KSCOPE-COUNTS (\w+) (\d+)/g)].map(([, name = '', value]) => [name, Number(value)]),
  );
}

function poke(host: QemuHost, kernel: BareKernel, offset: number, value: number): void {
  const address = addressOf(kernel, 'control') + BigInt(offset);
  host.memory.writeKernel(lo32(address), hi32(address), Uint8Array.of(value, 0, 0, 0, 0, 0, 0, 0), 0, 8);
}

function addressOf(kernel: BareKernel, name: string): bigint {
  const address = kernel.symbols.get(name);
  if (address === undefined) throw new Error(`the kernel has no ${name}`);
  return address;
}

function symbolsOf(kernel: BareKernel): SymbolTable {
  const [start, end] = [addressOf(kernel, '_stext'), addressOf(kernel, '_etext')];
  // Marks of local labels and of mapping between code and data are no functions.
  const named = [...kernel.symbols]
    .filter(([name]) => /^[a-z_]\w*$/.test(name))
    .toSorted(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
  const places = [...new Set(named.map(([, address]) => address))];
  const symbols: KernelSymbol[] = named.map(([name, address]) => {
    const next = places[places.indexOf(address) + 1] ?? address;
    return { name, address, size: next - address, type: address >= start && address < end ? 'T' : 'D' };
  });
  return new SymbolTable(symbols);
}

function everyOffset(host: QemuHost, kprobes: KprobeRegistry, symbolName: string): Kprobe[] {
  const symbol = host.symbols.lookup(symbolName) as KernelSymbol;
  const bytes = new Uint8Array(Number(symbol.size));
  host.memory.readKernel(lo32(symbol.address), hi32(symbol.address), bytes, 0, bytes.length);
  return insnBoundaries(host.arch.probing, bytes)
    .slice(0, 40)
    .map((offset) => kprobes.register({ symbolName, offset }));
}

function argument(regs: PtRegs, index: number): bigint {
  return regs.get(regs.layout.args[index] ?? 0);
}

function textAt(host: QemuHost, address: bigint): string {
  const bytes = new Uint8Array(32);
  if (!host.memory.readKernel(lo32(address), hi32(address), bytes, 0, bytes.length)) return 'fault';
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
