import { x86_64 } from '../arch/index.js';
import {
  SymbolTable,
  type Host,
  type HostClock,
  type HostMemory,
  type HostStacks,
  type HostTasks,
} from '../host/index.js';

const fault = (): boolean => false;
const memory: HostMemory = {
  readKernel: fault,
  writeKernel: fault,
  readUser: fault,
  writeUser: fault,
  isUser: fault,
};

const zero = (out: Int32Array): void => {
  out[0] = 0;
  out[1] = 0;
};
const clock: HostClock = { monotonic: zero, boottime: zero, realtime: zero, tai: zero, jiffies: zero };
const tasks: HostTasks = { current: zero, pidTgid: zero, uidGid: zero, comm: fault, commOf: () => undefined };
const stacks: HostStacks = { kernel: () => 0, user: () => 0 };

/**
 * A host with nothing in it: one CPU, no memory, no symbols, clocks that stand at 0. For programs that are run
 * for their own sake, as conformance suites do.
 */
export function createBareHost(): Host {
  return {
    name: 'bare',
    arch: x86_64,
    cpus: 1,
    capabilities: {
      kprobes: false,
      kretprobes: false,
      singleStep: false,
      tracepoints: false,
      sampling: false,
      userMemory: false,
      stopsClock: true,
    },
    memory,
    symbols: new SymbolTable([]),
    btf: null,
    clock,
    tasks,
    stacks,
    text: null,
    tracepoints: null,
    sampler: null,
    currentCpu: () => 0,
  };
}
