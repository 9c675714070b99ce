import type { Host, HostStacks } from '../host/index.js';
import type { KretprobeRegistry } from '../kprobe/index.js';

/**
 * `host` as programs see it: where a return probe has replaced a return address by the trampoline's, stack walks show
 * the real one, as Linux's unwinder does.
 */
export function probedHost(host: Host, kretprobes: () => KretprobeRegistry | null): Host {
  const kernelOf = (taskLo: number, taskHi: number, out: Int32Array, max: number): number => {
    const count = host.stacks.kernelOf?.(taskLo, taskHi, out, max) ?? 0;
    kretprobes()?.recoverStackOf(taskLo, taskHi, out, count);
    return count;
  };
  const stacks: HostStacks = {
    kernel(regs, out, max) {
      const count = host.stacks.kernel(regs, out, max);
      kretprobes()?.recoverStack(out, count);
      return count;
    },
    ...(host.stacks.kernelOf === undefined ? {} : { kernelOf }),
    user: (regs, out, max) => host.stacks.user(regs, out, max),
  };
  return {
    name: host.name,
    arch: host.arch,
    cpus: host.cpus,
    capabilities: host.capabilities,
    memory: host.memory,
    symbols: host.symbols,
    btf: host.btf,
    kconfig: host.kconfig,
    // Looked for in some hosts' memory: only if somebody asks.
    get kernelVersion() {
      return host.kernelVersion;
    },
    clock: host.clock,
    tasks: host.tasks,
    text: host.text,
    ...(host.userText === undefined ? {} : { userText: host.userText }),
    tracepoints: host.tracepoints,
    sampler: host.sampler,
    stacks,
    currentCpu: () => host.currentCpu(),
  };
}
