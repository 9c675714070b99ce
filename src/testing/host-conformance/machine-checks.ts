import type { Host } from '../../host/index.js';
import type { HostBench } from './host-bench.js';
import type { CheckSpec } from './host-check.js';
import { must } from './host-check.js';
import { attempt } from './probe-trial.js';
import { CPUS } from './trap-checks.js';

const PERIOD_NS = 100_000n;

const noTracepoint = ({ host, facts }: HostBench): string | null => {
  if (host.tracepoints === null) return 'host.tracepoints is null';
  return facts.tracepoint === undefined ? 'facts.tracepoint is not given' : null;
};
const noSampler = ({ host }: HostBench): string | null => (host.sampler === null ? 'host.sampler is null' : null);

export const machineChecks: readonly CheckSpec[] = [
  {
    name: 'capabilities: agree with what is there',
    contract: 'HostCapabilities',
    remedy: 'promise what there is, and leave null what is not promised',
    run: ({ host }) => requireConsistent(host),
  },
  {
    name: 'cpus: there is one, and currentCpu is 0 outside of events',
    contract: 'Host.cpus, currentCpu',
    remedy: 'count possible CPUs; between events no CPU is current',
    run({ host }) {
      must(Number.isInteger(host.cpus) && host.cpus > 0, `cpus is ${host.cpus}`);
      must(host.currentCpu() === 0, `currentCpu() is ${host.currentCpu()} while nothing happens`);
    },
  },
  {
    name: 'tasks: onExit tells each task that has gone, until it is ended',
    contract: 'HostTasks.onExit',
    remedy: 'call every handler once for each task that will never run again; forget it when its function is called',
    skip: ({ host }) => (host.tasks.onExit === undefined ? 'host.tasks.onExit is absent' : null),
    run(bench) {
      const { host } = bench;
      let told = 0;
      const stop = host.tasks.onExit?.(() => told++);
      const { exits } = bench.workload();
      const first = told;
      stop?.();
      bench.workload();
      must(told === first, 'a handler was called after it was taken back');
      must(exits === undefined || first === exits, `${first} exits told, ${String(exits)} tasks have gone`);
    },
  },
  {
    name: 'tracepoints: descriptions are sound',
    contract: 'HostTracepoints.list, TracepointDescriptor',
    remedy: 'give each tracepoint a name of its own, as the kernel’s trace event has it',
    skip: ({ host }) => (host.tracepoints === null ? 'host.tracepoints is null' : null),
    run({ host }) {
      const list = host.tracepoints?.list ?? [];
      const names = new Set(list.map(({ name }) => name));
      must(list.length > 0, 'the list is empty');
      must(names.size === list.length, `${list.length} tracepoints have ${names.size} names`);
      must(![...names].includes(''), 'one has no name');
    },
  },
  {
    name: 'tracepoints: hits arrive while one is enabled, with its arguments and CPU',
    contract: 'HostTracepoints.setEnabled, setSink',
    remedy: 'test the tracepoint’s own flag in the machine, and call the sink with two words for each argument',
    needs: [CPUS],
    skip: noTracepoint,
    run: (bench) => {
      const { wrong, hits } = tracepointRun(bench);
      must(wrong === null, () => String(wrong));
      must(hits > 0, `no hit of ${String(bench.facts.tracepoint)} came while it was enabled`);
    },
  },
  {
    name: 'tracepoints: none arrive before one is enabled or after it is disabled',
    contract: 'HostTracepoints.setEnabled',
    remedy: 'clear the flag that the machine tests; do not deliver what is already queued',
    needs: [CPUS],
    skip: noTracepoint,
    run: (bench) => {
      const { before, after } = tracepointRun(bench);
      must(before === 0, `${before} hits came before anything was enabled`);
      must(after === 0, `${after} hits came after the tracepoint was disabled`);
    },
  },
  {
    name: 'sampler: samples come from the CPU asked for, with a true user flag',
    contract: 'HostSampler.start, SampleFrame',
    remedy: 'interrupt that CPU only, and take `user` from the saved privilege level',
    needs: [CPUS],
    skip: noSampler,
    run: (bench) => {
      const { samples, wrong } = samplerRun(bench);
      must(wrong === null, () => String(wrong));
      must(samples > 0, `no sample came while a workload ran at a period of ${PERIOD_NS} ns`);
    },
  },
  {
    name: 'sampler: stops when it is told to',
    contract: 'HostSampler.start: returns the function that stops it',
    remedy: 'take the timer back and forget the handler',
    needs: [CPUS],
    skip: noSampler,
    run: (bench) => {
      const { after } = samplerRun(bench);
      must(after === 0, `${after} samples came after the sampler was stopped`);
    },
  },
];

function requireConsistent({ capabilities, text, tracepoints, sampler, arch }: Host): void {
  const { kprobes, kretprobes, singleStep, tracepoints: tracing, sampling } = capabilities;
  must(!kprobes || text !== null, 'kprobes are promised, text is null');
  must(!kretprobes || kprobes, 'kretprobes are promised without kprobes');
  must(!kretprobes || (text?.returnTrampoline ?? null) !== null, 'kretprobes are promised, returnTrampoline is null');
  must(!singleStep || text !== null, 'singleStep is promised, text is null');
  must(
    tracing === (tracepoints !== null),
    `capabilities.tracepoints is ${tracing}, tracepoints is ${tracepoints === null ? '' : 'not '}null`,
  );
  must(
    sampling === (sampler !== null),
    `capabilities.sampling is ${sampling}, sampler is ${sampler === null ? '' : 'not '}null`,
  );
  must(arch.pointerSize === 8 || arch.pointerSize === 4, `pointers of ${arch.pointerSize} bytes`);
}

interface TracepointRun {
  readonly before: number;
  readonly hits: number;
  readonly after: number;
  readonly wrong: string | null;
}

function tracepointRun(bench: HostBench): TracepointRun {
  return bench.once('tracepoint', () => watchTracepoint(bench));
}

function watchTracepoint(bench: HostBench): TracepointRun {
  const { host, facts } = bench;
  const tracepoints = host.tracepoints as NonNullable<Host['tracepoints']>;
  const index = tracepoints.list.findIndex(({ name }) => name === facts.tracepoint);
  must(index >= 0, `there is no tracepoint ${String(facts.tracepoint)}, which is the one given`);
  const words = 2 * (tracepoints.list[index]?.args.length ?? 0);
  let count = 0;
  let wrong: string | null = null;
  tracepoints.setSink((at, args, cpu) => {
    count++;
    if (at !== index) wrong ??= `a hit of tracepoint ${at}, which is not enabled`;
    else if (args.length !== words) wrong ??= `${args.length} words of arguments, not ${words}`;
    else if (cpu !== host.currentCpu()) wrong ??= `a hit on CPU ${cpu} while currentCpu() is ${host.currentCpu()}`;
  });
  try {
    const [before, hits, after] = [false, true, false].map((enabled) => {
      tracepoints.setEnabled(index, enabled);
      count = 0;
      bench.workload();
      return count;
    });
    return { before: before ?? 0, hits: hits ?? 0, after: after ?? 0, wrong };
  } finally {
    tracepoints.setEnabled(index, false);
    tracepoints.setSink(null);
  }
}

interface SamplerRun {
  readonly samples: number;
  readonly after: number;
  readonly wrong: string | null;
}

function samplerRun(bench: HostBench): SamplerRun {
  return bench.once('sampler', () => watchSamples(bench));
}

function watchSamples(bench: HostBench): SamplerRun {
  const { host } = bench;
  const sampler = host.sampler as NonNullable<Host['sampler']>;
  let count = 0;
  let wrong: string | null = null;
  const stops = Array.from({ length: host.cpus }, (_, cpu) =>
    sampler.start(cpu, PERIOD_NS, (frame) => {
      count++;
      const { ip } = frame.regs.layout;
      const inUser = host.memory.isUser(frame.regs.lo(ip), frame.regs.hi(ip));
      if (frame.cpu !== cpu) wrong ??= `a sample of CPU ${frame.cpu} was given to the handler of CPU ${cpu}`;
      else if (host.currentCpu() !== cpu) wrong ??= `currentCpu() is ${host.currentCpu()} in a sample of CPU ${cpu}`;
      else if (frame.user !== inUser) wrong ??= 'the user flag says the opposite of what the pc says';
    }),
  );
  const first = attempt(() => bench.workload());
  const samples = count;
  for (const stop of stops) stop();
  count = 0;
  const second = first.error === null ? attempt(() => bench.workload()) : first;
  must(second.error === null, `the workload ended with: ${second.error}`);
  return { samples, after: count, wrong };
}
