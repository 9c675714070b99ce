import { readFileSync } from 'node:fs';
import type { Arch } from '../../src/arch/index.js';
import * as archs from '../../src/arch/index.js';
import { BpfError } from '../../src/base/index.js';
import { findRunningKernel, openKernelImage } from '../../src/host/guest/index.js';
import { linuxGuest, QemuHost, type QemuHostOptions, type RspClient } from '../../src/host/qemu/index.js';
import { QemuProcess } from '../../src/host/qemu/node/index.js';
import { guestImage } from './guest-image.js';
import { GuestSession } from './guest-session.js';

export type LinuxArch = 'x86_64' | 'arm64' | 'riscv64';

/** How traps are taken: the kinds of the host, and the stub's with breakpoints as bytes. */
export type TrapWay = 'mailbox' | 'pvpanic' | 'stub' | 'stub, bytes';

/** How often a machine may be stopped in vain. */
const STOPS = 500;

/** Ways that are there on an architecture. */
export function trapWays(arch: LinuxArch): readonly TrapWay[] {
  return arch === 'x86_64' ? ['mailbox', 'pvpanic', 'stub', 'stub, bytes'] : ['mailbox', 'stub', 'stub, bytes'];
}

/**
 * How many times the guest does what is counted. Stops by the stub are four orders slower than a mailbox. The number for
 * the mailbox is KSCOPE_CASES, 2000 if absent.
 */
export function turnsFor(way: TrapWay): number {
  const full = Number(process.env['KSCOPE_CASES'] ?? 2000);
  if (way === 'mailbox') return full;
  return way === 'pvpanic' ? Math.ceil(full / 4) : Math.min(12, full);
}

/** Lets an emulator run that nobody is attached to. */
export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** A booted Debian kernel with the init of tests, and a host on it. */
export interface QemuLinux {
  readonly machine: QemuProcess;
  readonly host: QemuHost;
  readonly session: GuestSession;
  /** From now on commands run without the host. */
  detach(): void;
}

export interface BootOptions {
  readonly cpus?: number;
  /** Words for the kernel's command line. */
  readonly append?: string;
  /** A command that is under way when the host comes, and keeps all processors busy: it comes while the first is in user mode. */
  readonly busy?: string;
}

export async function bootQemuLinux(name: LinuxArch, way: TrapWay, options: BootOptions = {}): Promise<QemuLinux> {
  const { cpus = 2, append, busy } = options;
  const { kernel, initrd } = await guestImage(name);
  const machine = new QemuProcess({ arch: name, kernel, initrd, cpus, ...(append === undefined ? {} : { append }) });
  try {
    let letRun = (): void => sleep(10);
    const session = new GuestSession(machine.console, () => letRun());
    machine.client.resume();
    session.boot();
    if (busy !== undefined) session.start(busy);
    stop(machine, busy !== undefined);
    const { symbols, btf, kernelVersion } = findRunningKernel(machine.ram, openKernelImage(readFileSync(kernel)));
    const host = new QemuHost({
      machine,
      arch: archNamed(name),
      symbols,
      btf,
      kernelVersion,
      room: 'crashkernel',
      guest: linuxGuest,
      ...kind(way),
    });
    letRun = () => {
      const printed = host.console.length;
      const why = host.run({ ns: 50e6, until: () => host.console.length > printed });
      if (why !== 'time' && why !== 'until')
        throw new Error(`the guest ended: ${why}; ${machine.console.text.slice(-2000)}`);
    };
    const detach = (): void => {
      host.detach();
      letRun = () => sleep(10);
    };
    return { machine, host, session, detach };
  } catch (error) {
    machine.close();
    throw error;
  }
}

/** Stops the machine, `inUserMode`: its first processor there. */
function stop({ client }: QemuProcess, inUserMode: boolean): void {
  for (let i = 0; i < STOPS; i++) {
    sleep(inUserMode ? 5 + (i % 7) : 0);
    client.interrupt();
    client.waitStop(10_000);
    if (!inUserMode || isInUserMode(client)) return;
    client.resume();
  }
  throw new Error(`stopped ${STOPS} times, never in user mode`);
}

/** By the half that its first processor's program counter is in. */
function isInUserMode(client: RspClient): boolean {
  const [first = ''] = client.threads();
  const registers = client.readRegisters();
  const pc = registers.get('rip') ?? registers.get('pc');
  if (pc === undefined) throw new Error('the stub tells no program counter');
  return ((client.registerOf(first, pc)[7] ?? 0) & 0x80) === 0;
}

function kind(way: TrapWay): Pick<QemuHostOptions, 'trap' | 'breakpoints'> {
  return way === 'stub, bytes' ? { trap: 'stub', breakpoints: 'bytes' } : { trap: way };
}

function archNamed(name: LinuxArch): Arch {
  const found = (archs as Readonly<Record<string, unknown>>)[name];
  if (found === undefined) throw new BpfError('EOPNOTSUPP', `there is no ${name}`);
  return found as Arch;
}

const BROKEN = /Oops|BUG:|WARNING:|Call Trace|Kernel panic|Unable to handle|Internal error|rcu: INFO|soft lockup/;

/** The first line of a guest's console that tells of damage, or null. */
export function damage(console: string): string | null {
  const line = console.split(/\r?\n/).find((text) => BROKEN.test(text));
  return line ?? null;
}
