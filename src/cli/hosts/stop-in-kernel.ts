import { BpfError } from '../../base/index.js';
import type { SymbolTable } from '../../host/index.js';
import type { RspClient } from '../../host/qemu/index.js';

const TRIES = 500;
const STOP_MS = 10_000;

/**
 * Stops a guest where its first processor is in the kernel's text: on arm64 the page tables in force in user mode, and on
 * the trampoline to and from it, do not show the kernel (CONFIG_UNMAP_KERNEL_AT_EL0). ETIMEDOUT where a program never lets
 * go of the processor.
 */
export async function stopInKernel(client: RspClient, symbols: SymbolTable): Promise<void> {
  const [start = 0n, end = 1n << 64n] = ['_stext', '_etext'].map((name) => symbols.lookup(name)?.address);
  for (let i = 0; i < TRIES; i++) {
    if (client.running) {
      client.interrupt();
      client.waitStop(STOP_MS);
    }
    const pc = firstPc(client);
    if (pc >= start && pc < end) return;
    client.resume();
    await new Promise((resolve) => {
      setTimeout(resolve, 1 + (i % 7));
    });
  }
  throw new BpfError('ETIMEDOUT', 'stopping the guest while its kernel runs', {
    remedy: 'a program keeps its first processor busy: end it, or let it make system calls',
  });
}

function firstPc(client: RspClient): bigint {
  const registers = client.readRegisters();
  const pc = registers.get('rip') ?? registers.get('pc');
  const [first] = client.threads();
  if (pc === undefined || first === undefined) {
    throw new BpfError('EIO', 'the gdb stub of the guest tells no program counter');
  }
  const bytes = client.registerOf(first, pc);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}
