import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { describeWith, type Unavailable } from '../../oracle/describe-with.js';
import { BareCpu } from './bare-cpu.js';

const here = dirname(fileURLToPath(import.meta.url));
const PAGE = 4096;
const STACK_TOP = 0x7fff_0000n;
const STACK_PAGES = 64n;
const USER = 7n;

const COMPILERS = ['gcc', 'clang-19', 'clang-16', 'clang-14'];
const LEVELS = ['-O0', '-O1', '-O2', '-O3', '-Os'];
const FLAGS = [
  '-mgeneral-regs-only',
  '-mpopcnt',
  '-ffreestanding',
  '-fno-stack-protector',
  '-fno-builtin',
  '-nostdlib',
  '-static',
];

/** A compiler whose programs run on the real processor. */
function findCompiler(compiler: string): { readonly compiler: string } | Unavailable {
  const { arch, platform } = process;
  if (arch !== 'x64' || platform !== 'linux') return { unavailable: `this is ${platform} on ${arch}` };
  return spawnSync(compiler, ['--version']).status === 0 ? { compiler } : { unavailable: `there is no ${compiler}` };
}

/** Maps the loadable segments of a static executable and returns its entry point. */
function loadExecutable(machine: BareCpu, file: Uint8Array): bigint {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const headers = Number(view.getBigUint64(32, true));
  const pages = new Map<bigint, number>();
  for (let i = 0; i < view.getUint16(56, true); i++) {
    const at = headers + 56 * i;
    if (view.getUint32(at, true) !== 1) continue;
    const offset = Number(view.getBigUint64(at + 8, true));
    const address = view.getBigUint64(at + 16, true);
    const bytes = file.subarray(offset, offset + Number(view.getBigUint64(at + 32, true)));
    const end = address + view.getBigUint64(at + 40, true);
    for (let page = address & ~0xfffn; page < end; page += BigInt(PAGE)) {
      if (pages.has(page)) continue;
      const frame = machine.allocate(1);
      pages.set(page, frame);
      machine.map(page, frame, USER);
    }
    bytes.forEach((byte, n) => {
      const where = address + BigInt(n);
      machine.physical.bytes[(pages.get(where & ~0xfffn) ?? 0) + Number(where & 0xfffn)] = byte;
    });
  }
  return view.getBigUint64(24, true);
}

/** Runs an executable up to its first system call, which is write(1, rsi, rdx), and returns what it would write. */
function runEmulated(file: Uint8Array): Uint8Array {
  const machine = new BareCpu(8 << 20);
  const { cpu, physical } = machine;
  const entry = loadExecutable(machine, file);
  for (let i = 1n; i <= STACK_PAGES; i++) machine.map(STACK_TOP - i * BigInt(PAGE), machine.allocate(1), USER);
  // System calls land on a hlt in a kernel page.
  const kernel = machine.allocate(1);
  machine.map(0xffff_8000_0000_0000n, kernel, 3n);
  physical.write(kernel, Uint8Array.of(0xf4));
  cpu.msr[4] = 0;
  cpu.msr[5] = 0xffff_8000 | 0;
  machine.setRegister(4, STACK_TOP - 64n);
  machine.rip = entry;
  cpu.setCpl(3);
  cpu.run(50_000_000);
  expect(cpu.shutdown, `at ${machine.rip.toString(16)}`).toBeNull();
  expect(cpu.halted).toBe(true);
  const out = new Uint8Array(Number(machine.register(2)));
  for (let i = 0; i < out.length; i++) {
    const at = machine.register(6) + BigInt(i);
    const physicalAt = cpu.mmu.translate(Number(at), 0, 0, true);
    out[i] = physical.bytes[physicalAt];
  }
  return out;
}

/** clang has no __builtin_*_overflow_p; the plain builtins mean the same. */
const OVERFLOW_P = ['add', 'sub', 'mul'].map(
  (operation) =>
    `-D__builtin_${operation}_overflow_p(a,b,c)=({__typeof__(c) r_; __builtin_${operation}_overflow(a,b,&r_);})`,
);

const folder = mkdtempSync(join(tmpdir(), 'kscope-programs-'));
afterAll(() => rmSync(folder, { recursive: true }));

for (const name of COMPILERS) {
  describeWith(`compiled programs of ${name}`, findCompiler(name), ({ compiler }) => {
    it.each(LEVELS)('computes what the real processor computes: %s', (level) => {
      const path = join(folder, `${compiler}${level}`);
      const define = compiler === 'gcc' ? [] : OVERFLOW_P;
      const built = spawnSync(compiler, [...FLAGS, ...define, level, '-o', path, join(here, 'native', 'programs.c')], {
        encoding: 'utf8',
      });
      expect(built.status, built.stderr).toBe(0);
      const native = spawnSync(path, { timeout: 20_000 });
      expect(native.status).toBe(0);
      expect(native.stdout.length).toBeGreaterThan(4000);
      expect(Buffer.from(runEmulated(readFileSync(path))).equals(native.stdout)).toBe(true);
    });
  });
}
