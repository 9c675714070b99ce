import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  findRunningKernel,
  type GuestRam,
  type KernelImage,
  openKernelImage,
  type RunningKernel,
} from '../../src/host/guest/index.js';
import { QemuProcess } from '../../src/host/qemu/node/index.js';
import type { SymbolTable } from '../../src/host/index.js';
import { guestImage } from './guest-image.js';
import { GuestSession } from './guest-session.js';

const MINUTES = 60_000;
/** Memory is searched in pieces that begin at multiples of this. */
const PIECE = 48 << 20;

/** The same memory from address 0 on, with `shift` bytes that hold nothing before its first. */
function movedRam(ram: GuestRam, shift: number): GuestRam {
  const [{ start, size }] = ram.ranges;
  return {
    ranges: [{ start: 0, size: size + shift }],
    read(address, dst, offset, length) {
      const skipped = Math.min(length, Math.max(0, shift - address));
      dst.fill(0, offset, offset + skipped);
      return ram.read(start + address + skipped - shift, dst, offset + skipped, length - skipped);
    },
    write: () => false,
    word: (address) => (address < shift ? 0 : ram.word(start + address - shift)),
  };
}

describe.each(['x86_64', 'arm64', 'riscv64'] as const)('a running kernel, KASLR on: %s', (arch) => {
  let machine: QemuProcess;
  let guest: GuestSession;
  let image: KernelImage;
  let found: RunningKernel;

  beforeAll(async () => {
    const { kernel, initrd } = await guestImage(arch);
    machine = new QemuProcess({ arch, kernel, initrd, append: 'quiet', cpus: 2 });
    guest = new GuestSession(machine.console, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20));
    image = openKernelImage(readFileSync(kernel));
    machine.client.resume();
    guest.boot();
    found = findRunningKernel(machine.ram, image);
  }, 3 * MINUTES);

  afterAll(() => machine?.close());

  it(
    'has the symbols that its own /proc/kallsyms lists',
    () => {
      const text = kallsymsText(found.symbols);
      const sum = guest.run('sum /proc/kallsyms');
      expect(crcOf(sum), `${text.length} bytes, the guest has ${sum.get('size')}`).toBe(crc32(text));
    },
    MINUTES,
  );

  it(
    'has the types that its own /sys/kernel/btf/vmlinux holds',
    () => {
      const { offset, size } = image.foundBtf ?? { offset: 0, size: 0 };
      expect(crcOf(guest.run('sum /sys/kernel/btf/vmlinux'))).toBe(crc32(image.bytes.subarray(offset, offset + size)));
      expect(found.btf?.findByName('task_struct', 'struct')).toBeDefined();
    },
    MINUTES,
  );

  it(
    'has the version that libbpf finds in its /proc/version',
    () => {
      const [, ...numbers] = /#\d.* Debian (\d+)\.(\d+)\.(\d+)-/.exec(guest.cat('/proc/version')) ?? [];
      const [major = 0, minor = 0, patch = 0] = numbers.map(Number);
      expect(numbers).toHaveLength(3);
      expect(found.kernelVersion).toBe(major * 65536 + minor * 256 + Math.min(patch, 255));
      expect(found.kconfig, 'Debian builds without CONFIG_IKCONFIG').toBeUndefined();
    },
    MINUTES,
  );

  it('is found without its image as well, with the same symbols, types and version', () => {
    const searched = findRunningKernel(machine.ram, 8);
    expect(searched.kernelVersion).toBe(found.kernelVersion);
    expect(crc32(kallsymsText(searched.symbols))).toBe(crc32(kallsymsText(found.symbols)));
    expect(searched.btf?.typeCount).toBe(found.btf?.typeCount);
  });

  it('is found with its types wherever they lie in memory: their middle where a piece that is searched ends', () => {
    const { offset, size } = image.foundBtf ?? { offset: 0, size: 0 };
    const middle = (found.physicalBase ?? 0) - (machine.ram.ranges[0]?.start ?? 0) + offset + Math.floor(size / 2);
    const moved = movedRam(machine.ram, PIECE - ((middle % PIECE) & -4096));
    expect(findRunningKernel(moved, 8).btf?.typeCount).toBe(found.btf?.typeCount);
  });

  it('is moved from where it was linked by whole steps of KASLR, all of its symbols alike', () => {
    const { physicalBase = -1, slide = -1n, symbols } = found;
    const linked = image.symbols();
    for (const name of ['vfs_read', 'do_sys_openat2', 'panic']) {
      expect((symbols.lookup(name)?.address ?? 0n) - (linked.lookup(name)?.address ?? 0n), name).toBe(slide);
    }
    expect(physicalBase % (2 << 20), `loaded at 0x${physicalBase.toString(16)}`).toBe(0);
    expect(slide % 4096n, `slide 0x${slide.toString(16)}`).toBe(0n);
  });
});

/** As /proc/kallsyms prints it. */
function kallsymsText(symbols: SymbolTable): string {
  return [...symbols]
    .map(({ address, type, name }) => `${address.toString(16).padStart(16, '0')} ${type} ${name}\n`)
    .join('');
}

function crcOf(counts: ReadonlyMap<string, number>): number {
  return (counts.get('crc.high') ?? 0) * 65536 + (counts.get('crc.low') ?? 0);
}
