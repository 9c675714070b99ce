import { toJson } from '../../export/index.js';
import { parseArgs } from 'node:util';
import { BpfError } from '../../base/index.js';
import { fetchGuest } from '../guest/fetch-guest.js';
import { guestArch, type GuestName } from '../guest/guest-arch.js';
import { guestInitramfs } from '../guest/guest-initramfs.js';
import { guestSpec } from '../guest/guest-machine.js';
import { guestState, removeGuestState, writeGuestState } from '../guest/guest-state.js';
import { QemuDaemon } from '../guest/qemu-daemon.js';
import { stepsOf } from '../guest/steps.js';
import type { CliIo } from '../io.js';
import { integerOption } from '../options.js';
import { UsageError } from '../usage-error.js';

const OPTIONS = {
  cpus: { type: 'string' },
  memory: { type: 'string' },
  'fetch-only': { type: 'boolean' },
  refresh: { type: 'boolean' },
  json: { type: 'boolean', short: 'j' },
} as const;

const DEFAULT_CPUS = 2;
const PROGRAMS: Readonly<Record<GuestName, string>> = {
  x86_64: 'qemu-system-x86_64',
  i686: 'qemu-system-i386',
  arm64: 'qemu-system-aarch64',
  riscv64: 'qemu-system-riscv64',
};

/** `kscope guest up ARCH`: fetches a Linux guest, boots it, and keeps it up for other commands until Ctrl-C. */
export async function guestUp(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const [name, extra] = positionals;
  if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}"`);
  const guest = guestArch(name);
  const cpus = integerOption('cpus', values.cpus, DEFAULT_CPUS);
  if (cpus < 1 || cpus > 8) throw new UsageError(`--cpus takes 1 to 8, not ${cpus}`);
  const up = guestState(guest.name);
  if (up !== undefined && values['fetch-only'] !== true) {
    throw new BpfError('EBUSY', `a ${guest.name} guest is up already`, { value: up.pid, remedy: 'end it with Ctrl-C' });
  }
  const steps = stepsOf(io);
  const files = await fetchGuest(guest, { steps, signal: io.signal, refresh: values.refresh === true });
  const initrd = guestInitramfs(files);
  if (values['fetch-only'] === true) {
    io.out(values.json === true ? toJson({ ...files, initrd }) : files.kernel);
    return 0;
  }
  const shape = {
    cpus,
    ...(values.memory === undefined ? {} : { memoryMiB: integerOption('memory', values.memory, 0) }),
  };
  const spec = guestSpec(files, initrd, shape);
  const machine = new QemuDaemon(PROGRAMS[guest.name], spec);
  try {
    const console = await steps.run(`boot ${files.kernelPackage}`, () => machine.boot(io.signal));
    const state = { guest: guest.name, pid: machine.pid, spec, paths: machine.paths, console };
    writeGuestState(state);
    if (values.json === true) io.out(toJson(state));
    io.err(
      `${guest.name} is up: kscope run TOOL.o --host qemu:${guest.name}; console: ${machine.paths.console}; Ctrl-C ends it`,
    );
    await untilEnd(machine, io.signal);
  } finally {
    machine.close();
    removeGuestState(guest.name);
  }
  if (machine.ended !== undefined && !io.signal.aborted) {
    throw new BpfError('EIO', 'the guest has ended by itself', { remedy: machine.ended });
  }
  return 0;
}

function untilEnd(machine: QemuDaemon, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!signal.aborted && machine.ended === undefined) return;
      clearInterval(timer);
      resolve();
    }, 100);
  });
}
