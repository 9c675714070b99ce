import { hex64, hi32, lo32 } from '../../base/index.js';
import { COMM_AT, type HitReading, readClock, type StackReading } from './hit-reading.js';
import type { HostBench } from './host-bench.js';
import type { CheckSpec } from './host-check.js';
import { must } from './host-check.js';
import { noProbes } from './trap-checks.js';

const MEETS = 'traps: CPUs meet a breakpoint that was put in';
const COMM_LEN = 16;
const SECOND = 1_000_000_000n;
/** 2000 and 2200 as CLOCK_REALTIME has them. */
const PLAUSIBLE = { from: 946_684_800n * SECOND, to: 7_258_118_400n * SECOND };

/** Checks of what a host answers within a hit. */
export const eventChecks: readonly CheckSpec[] = [
  check(
    'clock: monotonic never goes back',
    'HostClock.monotonic',
    'derive it from a counter that only grows',
    (bench) => {
      let last = 0n;
      for (const { monotonic } of clocksOf(bench)) {
        must(monotonic >= last, `${monotonic} ns follow ${last} ns`);
        last = monotonic;
      }
      const end = readClock(bench.host).monotonic;
      must(end >= last, `${end} ns outside of handlers follow ${last} ns in one`);
      const [first] = clocksOf(bench);
      must(end > (first?.monotonic ?? 0n), 'it stood still while the workload ran');
    },
  ),
  check(
    'clock: boottime, realtime and tai agree with monotonic',
    'HostClock',
    'boottime counts suspended time too; tai is a whole number of seconds ahead of realtime',
    (bench) => {
      for (const { monotonic, boottime, realtime, tai } of clocksOf(bench)) {
        must(boottime >= monotonic, `boottime ${boottime} is behind monotonic ${monotonic}`);
        must(realtime > PLAUSIBLE.from && realtime < PLAUSIBLE.to, `realtime is ${realtime} ns since 1970`);
        const ahead = tai - realtime;
        must(ahead > -SECOND && ahead < 100n * SECOND, `tai is ${ahead} ns ahead of realtime`);
      }
    },
  ),
  check('clock: jiffies never go back', 'HostClock.jiffies', 'read the kernel’s own counter', (bench) => {
    let last = 0n;
    for (const { jiffies } of clocksOf(bench)) {
      must(jiffies >= last, `${jiffies} follow ${last}`);
      last = jiffies;
    }
  }),
  check(
    'clock: stands still in a handler where stopsClock says so',
    'HostCapabilities.stopsClock, HostClock',
    'set stopsClock to false, or stop the clock while a handler runs',
    ({ host, trial }) => {
      if (!host.capabilities.stopsClock) return;
      for (const { clock } of trial.driver.readings) {
        const [before, after] = clock;
        must(before.monotonic === after.monotonic, `${after.monotonic - before.monotonic} ns passed within a handler`);
      }
    },
    undefined,
    ['clock: monotonic never goes back'],
  ),
  check(
    'tasks: current is a task of the kernel, pid and tgid are its',
    'HostTasks.current, pidTgid',
    'read current of the CPU whose event is being delivered, not of the first one',
    ({ host, trial }) => {
      const seen = new Map<number, bigint>();
      for (const { task, pid, tgid } of trial.driver.readings) {
        must(!host.memory.isUser(lo32(task), hi32(task)) && task !== 0n, `current is ${hex64(task)}`);
        must(pid >= 0 && tgid >= 0 && (pid === 0) === (tgid === 0), `pid ${pid}, tgid ${tgid}`);
        const other = seen.get(pid);
        must(
          pid === 0 || other === undefined || other === task,
          `pid ${pid} is both ${hex64(task)} and ${hex64(other ?? 0n)}`,
        );
        seen.set(pid, task);
      }
    },
  ),
  check(
    'btf: pid and tgid at their offsets in current are those of pidTgid',
    'Host.btf, HostTasks',
    'take the BTF of the kernel that runs, and current from the CPU of the event',
    (bench) => {
      must(bench.pidOffsets !== null, 'struct task_struct has no members pid and tgid');
      for (const { inMemory, pid, tgid } of bench.trial.driver.readings) {
        must(inMemory?.pid === pid, `${String(inMemory?.pid)} lies at task_struct.pid, pidTgid says ${pid}`);
        must(inMemory?.tgid === tgid, `${String(inMemory?.tgid)} lies at task_struct.tgid, pidTgid says ${tgid}`);
      }
    },
    (bench) => (bench.host.btf === null ? 'host.btf is null' : null),
    ['tasks: current is a task of the kernel, pid and tgid are its'],
  ),
  check(
    'tasks: comm ends with a NUL within 16 bytes and touches no others',
    'HostTasks.comm',
    'copy at most 16 bytes of task_struct.comm, the last one NUL',
    ({ trial }) => {
      for (const { comm } of trial.driver.readings) {
        must(comm.ok, 'comm is a fault');
        const text = comm.bytes.subarray(COMM_AT, COMM_AT + COMM_LEN);
        must(text.includes(0), '16 bytes without a NUL');
        must(text[0] !== 0, 'an empty name');
        const around = [...comm.bytes.subarray(0, COMM_AT), ...comm.bytes.subarray(COMM_AT + COMM_LEN)];
        must(
          around.every((byte) => byte === 0),
          'bytes around the 16 of the name were written',
        );
      }
    },
  ),
  check(
    'tasks: commOf knows the current task by its pid',
    'HostTasks.commOf',
    'look the pid up in the kernel’s list of tasks; threads and idle tasks belong to it',
    ({ trial }) => {
      for (const { comm, commOf, pid } of trial.driver.readings) {
        const name = textOf(comm.bytes.subarray(COMM_AT, COMM_AT + COMM_LEN));
        must(commOf === undefined || commOf === name, `commOf(${pid}) is ${String(commOf)}, comm is ${name}`);
      }
    },
    undefined,
    ['tasks: comm ends with a NUL within 16 bytes and touches no others'],
  ),
  check(
    'stacks: kernel frames begin at the pc, as many as there is room for',
    'HostStacks.kernel',
    'put regs.ip first, walk upwards, and write no more than `max` frames',
    ({ host, trial }) => {
      for (const { kernelStack, ip } of trial.driver.readings) {
        requireStack(kernelStack);
        must(kernelStack.counts[1] === 1 && kernelStack.frames.length > 0, 'no frame from the registers of a trap');
        const [first, ...callers] = kernelStack.frames;
        must(first === ip, `the first frame is ${hex64(first ?? 0n)}, the pc ${hex64(ip)}`);
        const user = callers.find((address) => host.memory.isUser(lo32(address), hi32(address)));
        must(user === undefined, `a kernel stack has the user address ${hex64(user ?? 0n)}`);
      }
    },
  ),
  check(
    'stacks: user frames are user addresses',
    'HostStacks.user',
    'answer 0 for kernel threads, and stop where frame pointers lead out of user memory',
    ({ host, trial }) => {
      for (const { userStack } of trial.driver.readings) {
        requireStack(userStack);
        const kernel = userStack.frames.find((address) => !host.memory.isUser(lo32(address), hi32(address)));
        must(kernel === undefined, `a user stack has ${hex64(kernel ?? 0n)}`);
      }
    },
  ),
  check(
    'memory: user memory of the current task can be read and written in a handler',
    'HostMemory.readUser, writeUser',
    'use the page tables of the task that is current on the CPU of the event; absent pages and the kernel half are faults',
    ({ trial }) => {
      const readings = trial.driver.readings.flatMap(({ userMemory }) => userMemory ?? []);
      must(readings.length > 0, 'no call had a user address in the argument that facts.userArgument names');
      const read = readings.find((reading) => reading.read);
      must(read !== undefined, () => `readUser at ${hex64(readings[0]?.address ?? 0n)} faults, in every call`);
      must(read.written, `writeUser at ${hex64(read.address)} faults where readUser does not`);
      must(!readings.some(({ kernelReads }) => kernelReads), 'readKernel takes a user address');
      must(
        !readings.some(({ pastEnd }) => pastEnd),
        'a user access that ends behind the last user address is no clean fault',
      );
    },
    ({ facts }) =>
      facts.userArgument === undefined || facts.userEnd === undefined ? 'facts.userArgument is not given' : null,
    ['memory: what is not mapped is a fault'],
  ),
];

function check(
  name: string,
  contract: string,
  remedy: string,
  run: (bench: HostBench) => void,
  skip?: (bench: HostBench) => string | null,
  needs: readonly string[] = [],
): CheckSpec {
  return {
    name,
    contract,
    remedy,
    needs: [MEETS, ...needs],
    skip: (bench) => noProbes(bench) ?? skip?.(bench) ?? null,
    run,
  };
}

function clocksOf({ trial }: HostBench): HitReading['clock'][number][] {
  return trial.driver.readings.flatMap(({ clock }) => clock);
}

function requireStack({ counts, overrun }: StackReading): void {
  const [none, single, several] = counts;
  must(none === 0, `a walk with room for no frame answers ${none}`);
  must(
    single >= 0 && single <= 1 && several >= single,
    `walks with room for 1 and 8 frames answer ${single} and ${several}`,
  );
  must(!overrun, 'a walk wrote behind the frames it had room for');
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}
