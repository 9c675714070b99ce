import { readFileSync } from 'node:fs';
import { type Arch, arm64, riscv64, x86_64 } from 'kscope/arch';
import { findRunningKernel, openKernelImage } from 'kscope/host/guest';
import { linuxGuest, QemuHost, type QemuTrapKind } from 'kscope/host/qemu';
import { QemuProcess } from 'kscope/host/qemu/node';
import { Collection, CollectionSpec } from 'kscope/loader';
import { Machine } from 'kscope/machine';
import { type GuestImage, rememberedImage } from '../../test/guest/built-image.js';
import { GuestSession } from '../../test/guest/guest-session.js';
import { packageFile } from '../package-file.js';
import { type GuestRates, ROUNDS } from './guest-rates.js';

interface Row {
  readonly arch: Arch;
  readonly trap: QemuTrapKind;
  readonly symbol: string;
  /** Part of the calls asked for: rates differ by an order, rounds shall not take so much longer. */
  readonly share: number;
}

const ROWS: readonly Row[] = [
  { arch: x86_64, trap: 'mailbox', symbol: '__x64_sys_getppid', share: 1 },
  { arch: x86_64, trap: 'pvpanic', symbol: '__x64_sys_getppid', share: 0.1 },
  { arch: arm64, trap: 'mailbox', symbol: '__arm64_sys_getppid', share: 0.5 },
  { arch: riscv64, trap: 'mailbox', symbol: '__riscv_sys_getppid', share: 0.2 },
];

/** Reads clock and task, and writes to a hash map, in each run; the same object for all. */
const OBJECT = 'examples/funclatency.bpf.o';
const PROGRAM = 'vfs_read_entry';
/** Each keeps one task busy. */
const CPUS = 2;
const SLICE_NS = 1e9;

/** Leaves the images that are booted here. */
const MAKE_IMAGES = 'KSCOPE_GUESTS=1 npx vitest run test/guest/qemu-traps.test.ts';

/** Hits a second of one kprobe with one program in Linux guests under QEMU; at most `calls` in each round. */
export function qemuRates(calls: number): readonly GuestRates[] {
  return ROWS.map((row) => {
    const host = `QEMU, ${row.arch.name}, ${row.trap}`;
    const image = rememberedImage(row.arch.name);
    if (image === null) return { host, unavailable: `no guest: ${MAKE_IMAGES}` };
    return { host, rounds: ratesOf(row, image, calls) };
  });
}

function ratesOf(row: Row, image: GuestImage, calls: number): number[] {
  const machine = bootedMachine(row.arch, image);
  try {
    const { symbols, btf } = findRunningKernel(machine.ram, openKernelImage(readFileSync(image.kernel)));
    const { arch, trap } = row;
    const host = new QemuHost({ machine, arch, symbols, btf, trap, room: 'crashkernel', guest: linuxGuest });
    const perTask = Math.ceil((calls * row.share) / CPUS);
    return Array.from({ length: ROUNDS }, () => rate(host, row.symbol, perTask));
  } finally {
    machine.close();
  }
}

/** Past its boot, standing still. */
function bootedMachine({ name }: Arch, { kernel, initrd }: GuestImage): QemuProcess {
  const machine = new QemuProcess({ arch: name as 'x86_64' | 'arm64' | 'riscv64', kernel, initrd, cpus: CPUS });
  machine.client.resume();
  new GuestSession(machine.console, () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)).boot();
  machine.client.interrupt();
  machine.client.waitStop(10_000);
  return machine;
}

function rate(host: QemuHost, symbol: string, perTask: number): number {
  const machine = new Machine(host);
  const collection = Collection.load(CollectionSpec.parse(readFileSync(packageFile(OBJECT))), machine.runtime, {
    programs: [PROGRAM],
  });
  const { program } = collection.programs.get(PROGRAM) ?? missing();
  const link = machine.attach(program, { kind: 'kprobe', symbol, offset: 0 });
  const session = sessionOf(host);
  const start = performance.now();
  const counted = session.run(`hot ${perTask} ${CPUS}`).get('calls');
  const seconds = (performance.now() - start) / 1e3;
  const { seen, delivered } = link.ledgerRow();
  machine.close();
  collection.close();
  if (seen !== counted || delivered !== counted || counted !== perTask * CPUS)
    throw new Error(`${host.arch.name}: ${seen} hits, ${delivered} runs of the program for ${counted} calls`);
  return seen / seconds;
}

/** Commands to the guest from now on; it runs until it prints. */
function sessionOf(host: QemuHost): GuestSession {
  const begin = host.console.length;
  const line = {
    get text(): string {
      return host.console.slice(begin);
    },
    write: (text: string): void => host.type(text),
  };
  return new GuestSession(line, () => {
    const printed = host.console.length;
    const why = host.run({ ns: SLICE_NS, until: () => host.console.length > printed });
    if (why !== 'time' && why !== 'until') throw new Error(`the guest has stopped: ${why}`);
  });
}

function missing(): never {
  throw new Error(`${OBJECT} has no program ${PROGRAM}`);
}
