import { createSim } from '../../host/sim/index.js';
import type { CliIo } from '../io.js';
import type { HostSpec } from './host-spec.js';
import type { OpenedHost } from './opened-host.js';

/** How a host is to be, where it is started by the command. */
export interface HostOptions {
  readonly spec: HostSpec;
  readonly cpus?: number;
  readonly seed?: number;
  readonly workload?: string;
}

/** The simulator is run in steps of a millisecond, so that readers follow closely. */
const SIM_SLICE = 1_000_000n;

/** Opens what `--host` names. Guests are attached to where one is up, else booted for this command. */
export async function openHost(options: HostOptions, io: CliIo): Promise<OpenedHost> {
  const { spec } = options;
  if (spec.kind === 'sim') return openSim(options);
  // Loaded only when asked for: emulators bring workers and sockets along.
  if (spec.kind === 'v86') return (await import('./open-v86.js')).openV86(io);
  const { openQemu } = await import('./open-qemu.js');
  return openQemu(
    { guest: spec.guest, trap: spec.trap, ...(options.cpus === undefined ? {} : { cpus: options.cpus }) },
    io,
  );
}

function openSim({ seed, cpus, workload }: HostOptions): OpenedHost {
  const sim = createSim({
    ...(seed === undefined ? {} : { seed }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(workload === undefined ? {} : { workload }),
  });
  return {
    host: sim,
    sim,
    slice: SIM_SLICE,
    close: () => sim.close(),
  };
}
