import type { Host } from '../../src/host/index.js';
import type { HostFacts } from '../../src/testing/index.js';
import type { ModelMachine } from './machine-model.js';

/**
 * Any host that the host kit can judge, as a machine for the model of probes: its workload brings it to rest, and between
 * two of them it meets breakpoints of its own.
 */
export function kitMachine(host: Host, facts: HostFacts): ModelMachine {
  let calls = 0;
  const foreign = { executed: 0, handled: 0 };
  const rest = (): void => {
    calls += facts.workload().calls;
  };
  return {
    host,
    functions: [facts.function],
    calls: () => calls,
    foreign: () => ({ ...foreign }),
    goOn: () => {
      const met = facts.foreign?.();
      foreign.executed += met?.executed ?? 0;
      foreign.handled += met?.handled ?? 0;
    },
    rest,
  };
}
