import { readFileSync } from 'node:fs';
import { type Arch, arm64, riscv64, x86_64 } from '../../arch/index.js';
import { BpfError } from '../../base/index.js';
import { findRunningKernel, openKernelImage, type RunningKernel } from '../../host/guest/index.js';
import { linuxGuest, QemuHost, type QemuMachine } from '../../host/qemu/index.js';
import { AttachedQemu, QemuProcess, type QemuSpec } from '../../host/qemu/node/index.js';
import { fetchGuest } from '../guest/fetch-guest.js';
import { guestArch, type GuestName } from '../guest/guest-arch.js';
import { guestInitramfs, READY_LINE } from '../guest/guest-initramfs.js';
import { packagedKconfig } from '../guest/packaged-kconfig.js';
import { guestSpec } from '../guest/guest-machine.js';
import { guestState } from '../guest/guest-state.js';
import { stepsOf, type StepReporter } from '../guest/steps.js';
import { kernelUnpackers } from '../guest/unpackers.js';
import type { CliIo } from '../io.js';
import type { TrapKind } from './host-spec.js';
import type { OpenedHost } from './opened-host.js';

export interface QemuOptions {
  readonly guest: GuestName;
  readonly trap: TrapKind;
  readonly cpus?: number;
}

/** A guest's traps are served while it runs: rings are drained now and then. */
const SLICE = 100_000_000n;
const BOOT_MS = 120_000;
const STOP_MS = 10_000;
/** Those that can be probed. */
const ARCHES: Readonly<Partial<Record<GuestName, Arch>>> = { x86_64, arm64, riscv64 };

interface Started {
  readonly machine: QemuMachine;
  readonly spec: QemuSpec;
  /** The machine was up before, and stays up. */
  readonly attached: boolean;
}

/** The guest of that name that is up, or one booted for this command, with its kernel found in its memory. */
export async function openQemu(options: QemuOptions, io: CliIo): Promise<OpenedHost> {
  const steps = stepsOf(io);
  const started = attach(options.guest, steps) ?? (await boot(options, steps, io));
  try {
    const kernel = await steps.run('find the kernel in the guest', () => Promise.resolve(findKernel(started)));
    return hostOf(options, started, kernel);
  } catch (error) {
    started.machine.close();
    throw error;
  }
}

function attach(guest: GuestName, steps: StepReporter): Started | undefined {
  const state = guestState(guest);
  if (state === undefined) return undefined;
  const machine = new AttachedQemu(state.spec, state.paths, state.console);
  steps.done(`attached to the ${guest} guest that is up`);
  return { machine, spec: state.spec, attached: true };
}

async function boot({ guest, cpus = 1 }: QemuOptions, steps: StepReporter, io: CliIo): Promise<Started> {
  const files = await fetchGuest(guestArch(guest), { steps, signal: io.signal });
  const spec = guestSpec(files, guestInitramfs(files), { cpus });
  const machine = await steps.run(`boot ${files.kernelPackage}`, () => bootMachine(spec, io.signal));
  return { machine, spec, attached: false };
}

/** Past its boot, standing still. */
async function bootMachine(spec: QemuSpec, signal: AbortSignal): Promise<QemuProcess> {
  const machine = new QemuProcess(spec);
  try {
    machine.client.resume();
    const end = performance.now() + BOOT_MS;
    while (!machine.console.text.includes(READY_LINE)) {
      if (signal.aborted) throw new BpfError('EINTR', 'booting the guest was interrupted');
      if (performance.now() > end) {
        throw new BpfError('ETIMEDOUT', `the guest did not come up in ${BOOT_MS / 1000} seconds`, {
          remedy: `its console ends with: ${machine.console.text.slice(-800)}`,
        });
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    machine.client.interrupt();
    if (machine.client.waitStop(STOP_MS) !== null) return machine;
    throw new BpfError('ETIMEDOUT', 'stopping the guest', { remedy: 'its gdb stub does not answer' });
  } catch (error) {
    machine.close();
    throw error;
  }
}

/** By its image, which is fast; where nothing here unpacks that, by looking through all of the guest's memory. */
function findKernel({ machine, spec }: Started): RunningKernel {
  try {
    return findRunningKernel(machine.ram, openKernelImage(readFileSync(spec.kernel), kernelUnpackers));
  } catch (error) {
    if (!(error instanceof BpfError) || error.code !== 'EOPNOTSUPP') throw error;
    return findRunningKernel(machine.ram, 8, kernelUnpackers);
  }
}

function hostOf({ guest, trap }: QemuOptions, { machine, spec, attached }: Started, kernel: RunningKernel): OpenedHost {
  const arch = ARCHES[guest];
  if (arch === undefined) {
    throw new BpfError('EOPNOTSUPP', `probing ${guest} guests`, {
      remedy: `there are ${Object.keys(ARCHES).join(', ')}`,
    });
  }
  const { symbols, btf, kernelVersion, kconfig = packagedKconfig(spec.kernel) } = kernel;
  const known = { symbols, btf, kernelVersion, kconfig };
  const host = new QemuHost({ machine, arch, ...known, trap, room: 'crashkernel', guest: linuxGuest });
  return {
    host,
    sim: null,
    slice: SLICE,
    close: () => {
      if (attached) host.detach();
      else host.close();
      machine.close();
    },
  };
}
