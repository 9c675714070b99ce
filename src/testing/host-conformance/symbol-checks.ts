import { hex64 } from '../../base/index.js';
import type { KernelSymbol } from '../../host/index.js';
import type { HostBench } from './host-bench.js';
import type { CheckSpec } from './host-check.js';
import { must } from './host-check.js';

/** Symbols looked at one by one; large kernels have a hundred thousand. */
const SAMPLE = 5000;

function sample({ host }: HostBench): KernelSymbol[] {
  const all = [...host.symbols];
  const step = Math.max(1, Math.floor(all.length / SAMPLE));
  return all.filter((_, i) => i % step === 0);
}

const isText = ({ type }: KernelSymbol): boolean => /^[tTwW]$/.test(type);

export const symbolChecks: readonly CheckSpec[] = [
  {
    name: 'symbols: each is found by its name, aliases included',
    contract: 'Host.symbols: SymbolTable.lookup, lookupAll',
    remedy: 'build a SymbolTable of all symbols; names need not be unique',
    run(bench) {
      const { symbols } = bench.host;
      for (const { name, address } of [bench.function, ...sample(bench)]) {
        const found = symbols.lookupAll(name);
        must(
          found.some((other) => other.address === address),
          () => `lookupAll('${name}') misses ${hex64(address)}`,
        );
        must(symbols.lookup(name)?.address === found[0]?.address, `lookup('${name}') is not the first of lookupAll`);
      }
    },
  },
  {
    name: 'symbols: functions do not overlap',
    contract: 'KernelSymbol.size',
    remedy: 'take st_size of the ELF symbol, or the distance to the next address where there is none',
    run(bench) {
      const functions = [...bench.host.symbols].filter((symbol) => isText(symbol) && symbol.size > 0n);
      for (const [i, { name, address, size }] of functions.entries()) {
        const next = functions[i + 1];
        if (next === undefined || next.address === address) continue;
        const end = address + size;
        const inside = next.address + next.size <= end;
        must(end <= next.address || inside, `${name} ends ${end - next.address} bytes into ${next.name}`);
      }
    },
  },
  {
    name: 'symbols: each holds its first and last byte, and not the one behind',
    contract: 'SymbolTable.at',
    remedy: 'give sizes in bytes, up to the next symbol at most',
    needs: ['symbols: functions do not overlap'],
    run(bench) {
      const { symbols } = bench.host;
      for (const { name, address, size } of sample(bench)) {
        if (size === 0n) continue;
        must(
          symbols.at(address)?.address === address,
          `at(${hex64(address)}) does not give ${name}, which begins there`,
        );
        const last = symbols.at(address + size - 1n);
        must(last !== undefined && last.address >= address, `at() finds nothing at the last byte of ${name}`);
        must(symbols.at(address + size)?.address !== address, `at() finds ${name} behind its end`);
      }
    },
  },
  {
    name: 'symbols: addresses are named as the kernel names them',
    contract: 'SymbolTable.format',
    remedy: 'answer name+0xoffset, and the bare address where no symbol is',
    run(bench) {
      const { symbols } = bench.host;
      const { address } = bench.function;
      const name = symbols.at(address)?.name;
      must(symbols.format(address + 1n) === `${name}+0x1`, `one byte into ${name} is ${symbols.format(address + 1n)}`);
      const { unmapped } = bench.facts;
      if (symbols.at(unmapped) === undefined) {
        const text = symbols.format(unmapped);
        must(text === `0x${unmapped.toString(16)}`, `an address without a symbol is ${text}`);
      }
    },
  },
  {
    name: 'symbols: functions are instructions in memory',
    contract: 'Host.symbols, HostMemory.readKernel',
    remedy: 'add the slide of a kernel that was moved at boot (KASLR), and leave out what was freed after it',
    run(bench) {
      const { probing } = bench.host.arch;
      const { name, address, size } = bench.function;
      const length = size === 0n ? probing.maxInsnLength : Number(size);
      const { ok, bytes } = bench.read(address, length);
      must(ok, `the text of ${name} at ${hex64(address)} cannot be read`);
      let at = 0;
      while (at < length) {
        const insn = probing.insnLength(bytes, at);
        if (insn === 0 || at + insn > length) break;
        at += insn;
      }
      must(at > 0, `no instruction stands at ${hex64(address)}, where ${name} should begin`);
    },
  },
];
