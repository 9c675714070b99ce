import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Unavailable } from '../../oracle/describe-with.js';

export type BareArch = 'riscv64' | 'arm64' | 'loongarch64';
export const bareArchs: readonly BareArch[] = ['riscv64', 'arm64', 'loongarch64'];

/** The kernel of this folder, compiled for one architecture. */
export interface BareKernel {
  readonly arch: BareArch;
  /** ELF file with symbols. */
  readonly path: string;
  /** Addresses of its symbols. */
  readonly symbols: ReadonlyMap<string, bigint>;
}

const here = new URL('./', import.meta.url).pathname;
const cache = new URL('../../../.cache/guest-kernel/', import.meta.url).pathname;

/** What the kernel does when nobody asks for another number. */
export const DEFAULT_ROUNDS = 100;

/** Compiles the kernel, once per content of its sources, or says what is missing to build or to run it. */
export function bareKernel(arch: BareArch): BareKernel | Unavailable {
  const [emulator] = MACHINES[arch];
  if (spawnSync(emulator, ['--version']).error !== undefined) return { unavailable: `${emulator} is not installed` };
  const path = join(cache, `${arch}-${sourceHash(arch)}.elf`);
  if (!existsSync(path)) {
    mkdirSync(cache, { recursive: true });
    // Test files run in parallel processes.
    const scratch = `${path}.${process.pid}`;
    const { error, status, stderr } = spawnSync('bash', [join(here, 'build.sh'), arch, scratch], { encoding: 'utf8' });
    if (error !== undefined) return { unavailable: `build.sh cannot run: ${error.message}` };
    if (status === 127) return { unavailable: stderr.trim().split('\n').at(-1) as string };
    if (status !== 0) throw new Error(`build.sh ${arch} ended with ${status}:\n${stderr}`);
    renameSync(scratch, path);
  }
  return { arch, path, symbols: symbolsOf(readFileSync(path)) };
}

/** QEMU's program for the kernel and the arguments that boot it, console on the standard output. */
export function bareMachine({ arch, path, symbols }: BareKernel, rounds?: number): readonly [string, string[]] {
  const [tool, ...machine] = MACHINES[arch];
  const control = symbols.get('control') as bigint;
  const loader = rounds === undefined ? [] : ['-device', `loader,addr=${control},data=${rounds},data-len=8`];
  const usual = [
    '-accel',
    'tcg',
    '-smp',
    '2',
    '-display',
    'none',
    '-monitor',
    'none',
    '-serial',
    'stdio',
    '-no-reboot',
  ];
  return [tool, [...machine, ...usual, '-kernel', path, ...loader]];
}

const MACHINES: Readonly<Record<BareArch, readonly [string, ...string[]]>> = {
  riscv64: ['qemu-system-riscv64', '-M', 'virt', '-m', '64', '-bios', 'none'],
  arm64: ['qemu-system-aarch64', '-M', 'virt', '-cpu', 'cortex-a72', '-m', '64'],
  loongarch64: ['qemu-system-loongarch64', '-M', 'virt', '-m', '1G'],
};

function sourceHash(arch: BareArch): string {
  const hash = createHash('sha256');
  for (const folder of [here, join(here, arch)]) {
    for (const name of readdirSync(folder).toSorted()) {
      if (/\.([chS]|sh)$/.test(name)) hash.update(name).update(readFileSync(join(folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}

/** Named symbols of a little-endian ELF64 file. */
function symbolsOf(elf: Buffer): Map<string, bigint> {
  const symbols = new Map<string, bigint>();
  const sections = Number(elf.readBigUInt64LE(40));
  const header = (index: number): number => sections + 64 * index;
  for (let index = 0; index < elf.readUInt16LE(60); index++) {
    if (elf.readUInt32LE(header(index) + 4) !== 2) continue;
    const [start, size] = [24, 32].map((field) => Number(elf.readBigUInt64LE(header(index) + field)));
    const strings = Number(elf.readBigUInt64LE(header(elf.readUInt32LE(header(index) + 40)) + 24));
    for (let at = start; at < start + size; at += 24) {
      const name = strings + elf.readUInt32LE(at);
      const text = elf.toString('latin1', name, elf.indexOf(0, name));
      if (text !== '') symbols.set(text, elf.readBigUInt64LE(at + 8));
    }
  }
  return symbols;
}
