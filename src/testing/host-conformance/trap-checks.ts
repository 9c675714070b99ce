import type { HostBench } from './host-bench.js';
import type { CheckSpec } from './host-check.js';
import { must } from './host-check.js';
import { attempt, finish, makeDriver, runProbeTrial } from './probe-trial.js';

const MEETS = 'traps: CPUs meet a breakpoint that was put in';
const PC = 'traps: the pc is where the architecture puts it';
const KIND = 'traps: a breakpoint comes as kind breakpoint';
const VIEW = 'traps: registers are a live view, both ways';
export const EXACT = 'traps: each call is one hit';
const PATCHED = 'text: a patch reads back and can be taken back';
const WRITABLE = 'text: executable memory can be written by patch';
export const CPUS = 'cpus: currentCpu is the CPU of the trap, in range and the same throughout a handler';
export const USER_FLAG = 'traps: the user flag tells where the trap came from';
export const GONE = 'traps: none come once the breakpoint was taken out';
const INTERLUDES = 20;

export const noProbes = ({ host }: HostBench): string | null => {
  if (host.text === null) return 'host.text is null';
  return host.capabilities.kprobes ? null : 'capabilities.kprobes is false';
};

export const trapChecks: readonly CheckSpec[] = [
  {
    name: MEETS,
    contract: 'HostText.patch: none executes stale bytes; setTrapHandler',
    remedy:
      'flush what is translated or cached of the text, check the slide of symbols, deliver breakpoints to the handler',
    needs: [PATCHED, WRITABLE],
    skip: noProbes,
    run({ trial: { driver, work, broken } }) {
      must(driver.tally.hits > 0, () => {
        const end = broken === null ? `made ${work?.calls} calls` : `ended with: ${broken}`;
        return `no trap came while the workload ${end}; the breakpoint reads back, so CPUs execute other bytes`;
      });
    },
  },
  {
    name: KIND,
    contract: 'TrapFrame.kind',
    remedy: 'say `step` only after singleStep, `fault` only for memory faults',
    needs: [MEETS],
    skip: noProbes,
    run({ trial: { driver } }) {
      const others = [...driver.kinds].filter((kind) => kind !== 'breakpoint');
      must(others.length === 0, `breakpoints came as ${others.join(', ')}`);
    },
  },
  {
    name: PC,
    contract: 'TrapFrame.regs; ArchProbing.trapPcBias',
    remedy: 'give the pc as the CPU left it: the breakpoint’s address plus arch.probing.trapPcBias',
    needs: [MEETS],
    skip: noProbes,
    run({ host, trial: { driver } }) {
      const off = [...driver.distances].filter((distance) => distance !== 0n);
      must(
        off.length === 0,
        () => `the pc is off by ${off.join(', ')} (bias of ${host.arch.name}: ${host.arch.probing.trapPcBias})`,
      );
    },
  },
  {
    name: USER_FLAG,
    contract: 'TrapFrame.user',
    remedy: 'take it from the saved privilege level of the trapped context',
    needs: [MEETS],
    skip: noProbes,
    run({ trial: { driver } }) {
      must(driver.wrongUserFlags === 0, `${driver.wrongUserFlags} traps say the opposite of what their pc says`);
    },
  },
  {
    name: CPUS,
    contract: 'Host.currentCpu, TrapFrame.cpu',
    remedy: 'answer the number of the CPU whose event is being delivered, until its handler returns',
    needs: [MEETS, 'cpus: there is one, and currentCpu is 0 outside of events'],
    skip: noProbes,
    run({ host, trial: { driver } }) {
      for (const { cpu, currentCpu } of driver.readings) {
        must(Number.isInteger(cpu) && cpu >= 0 && cpu < host.cpus, `a trap on CPU ${cpu} of ${host.cpus}`);
        const [before, after] = currentCpu;
        must(before === cpu, `currentCpu() is ${before} in a trap whose frame says CPU ${cpu}`);
        must(after === before, `currentCpu() changed from ${before} to ${after} within a handler`);
      }
    },
  },
  {
    name: VIEW,
    contract: 'TrapFrame.regs: changes take effect on resume',
    remedy: 'let regs.words be the saved registers themselves, or copy them back before the CPU goes on',
    needs: [MEETS, PC],
    skip: noProbes,
    run({ trial: { driver, broken } }) {
      const { hits, redirected, marked } = driver.tally;
      const end = broken === null ? '' : `; the workload ended with: ${broken}`;
      must(redirected > 0, `of ${hits} hits none went where its handler set the pc${end}`);
      must(
        marked === redirected,
        `${redirected - marked} of ${redirected} hits lost a register that the handler wrote`,
      );
      const lost = [...driver.disturbed];
      must(lost.length === 0, `registers changed between a handler and the next instruction: ${lost.join(', ')}`);
    },
  },
  {
    name: EXACT,
    contract: 'HostText.setTrapHandler, TrapHandler',
    remedy: 'deliver each trap once, on whichever CPU; resume with the registers as the handler left them',
    needs: [VIEW, KIND],
    skip: noProbes,
    run({ trial: { driver, work, broken } }) {
      must(driver.problem === null, () => String(driver.problem));
      must(broken === null && work !== null, `the workload ended with: ${broken}`);
      const { hits, redirected, stepped } = driver.tally;
      must(hits === work.calls, `${hits} hits of ${work.calls} calls`);
      must(
        redirected === hits && stepped === hits,
        `${hits} hits, ${redirected} redirected, ${stepped} instructions executed`,
      );
    },
  },
  {
    name: GONE,
    contract: 'HostText.patch: none executes stale bytes; drain',
    remedy: 'flush what is translated or cached of the text on the way out too',
    needs: [EXACT],
    skip: noProbes,
    run({ trial: { driver, hitsAfter, brokenAfter } }) {
      must(brokenAfter === null, `without the probe the workload ended with: ${brokenAfter}`);
      must(hitsAfter === 0, `${hitsAfter} hits after the breakpoint was taken out and drained`);
      must(driver.tally.late === 0, `${driver.tally.late} late traps`);
    },
  },
  {
    name: 'traps: drain returns when the last trap under way was delivered',
    contract: 'HostText.drain',
    remedy: 'wait for every CPU that has met the breakpoint before the call',
    needs: [GONE],
    skip: (bench) => noProbes(bench) ?? (bench.facts.interlude === undefined ? 'facts.interlude is not given' : null),
    run: drainsUnderLoad,
  },
  {
    name: 'traps: what the handler does not take goes on to the machine',
    contract: 'TrapHandler: false is not ours, the host deals with it',
    remedy: 'after false go on as if kscope were not there: the machine’s own handlers, or SIGTRAP',
    needs: [EXACT, USER_FLAG],
    skip: (bench) => noProbes(bench) ?? (bench.facts.foreign === undefined ? 'facts.foreign is not given' : null),
    run: passesForeign,
  },
  {
    name: 'traps: returns sent to the trampoline arrive, each once',
    contract: 'HostText.returnTrampoline',
    remedy: 'deliver the trampoline’s breakpoint like any other, with the stack pointer as it was after the return',
    needs: [GONE, 'text: the return trampoline is a breakpoint'],
    skip: (bench) =>
      noProbes(bench) ?? (bench.host.capabilities.kretprobes ? null : 'capabilities.kretprobes is false'),
    run(bench) {
      const { driver, work, broken } = runProbeTrial(bench, true);
      must(driver.problem === null, () => String(driver.problem));
      must(broken === null && work !== null, `the workload ended with: ${broken}`);
      const { hits, returned, strayReturns } = driver.tally;
      must(returned === hits, `${returned} returns of ${hits} calls arrived at the trampoline`);
      must(strayReturns === 0, `${strayReturns} returns came with a stack pointer that no call had`);
    },
  },
];

function drainsUnderLoad(bench: HostBench): void {
  const interlude = bench.facts.interlude as NonNullable<typeof bench.facts.interlude>;
  const driver = makeDriver(bench);
  bench.text.setTrapHandler(driver.handle);
  try {
    for (let i = 0; i < INTERLUDES; i++) {
      driver.arm();
      const first = attempt(() => bench.runMachine(interlude));
      driver.disarm();
      const second = attempt(() => bench.runMachine(interlude));
      const error = first.error ?? second.error;
      must(error === null, `the machine broke when the breakpoint was taken out for the ${i + 1}. time: ${error}`);
      must(driver.problem === null, () => String(driver.problem));
      must(driver.tally.late === 0, 'a trap of the breakpoint was delivered after drain had returned');
    }
  } finally {
    finish(bench, driver);
  }
}

function passesForeign(bench: HostBench): void {
  const foreign = bench.facts.foreign as NonNullable<typeof bench.facts.foreign>;
  const driver = makeDriver(bench);
  bench.text.setTrapHandler(driver.handle);
  try {
    driver.arm();
    const { result, error } = attempt(() => bench.runMachine(foreign));
    driver.disarm();
    must(error === null && result !== null, `the machine broke at a breakpoint of its own: ${error}`);
    must(result.executed > 0, 'facts.foreign ran without any breakpoint: it shows nothing');
    const { executed, handled } = result;
    must(handled === executed, `the machine dealt with ${handled} of ${executed} breakpoints of its own`);
    must(driver.wrongUserFlags === 0, 'a trap of a program or of the kernel had the wrong user flag');
  } finally {
    finish(bench, driver);
  }
}
