import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  findRunningKernel,
  type KernelImage,
  openKernelImage,
  type RunningKernel,
} from '../../src/host/guest/index.js';
import { QemuProcess } from '../../src/host/qemu/node/index.js';
import type { SymbolTable } from '../../src/host/index.js';
import { guestImage } from './guest-image.js';
import { GuestSession } from './guest-session.js';

const MINUTES = 60_000;

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

  it('is found without its image as well, with the same symbols and types', () => {
    const searched = findRunningKernel(machine.ram, 8);
    expect(crc32(kallsymsText(searched.symbols))).toBe(crc32(kallsymsText(found.symbols)));
    expect(searched.btf?.typeCount).toBe(found.btf?.typeCount);
  });

  it('lies where its physical base says: code that nothing patches is there', () => {
    const { physicalBase = -1, slide = 0n } = found;
    const name = arch === 'riscv64' ? 'memcpy' : 'panic';
    const symbol = found.symbols.lookup(name);
    const linked = (symbol?.address ?? 0n) - slide - image.kallsyms.base;
    const start = image.kallsyms.symbols.find(({ address }) => address === image.kallsyms.base);
    expect(start, 'the symbol that addresses count from').toBeDefined();
    expect(linked).toBeGreaterThan(0n);
    expect(physicalBase % 4096).toBe(0);
    expect(machine.ram.word(physicalBase + 0x38)).toBeGreaterThanOrEqual(0);
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
