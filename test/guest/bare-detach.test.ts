import { expect, it } from 'vitest';
import { KprobeRegistry, KretprobeRegistry } from '../../src/kprobe/index.js';
import { describeWith } from '../oracle/describe-with.js';
import { BareGuest, bareWays, CPUS } from './kernel/bare-guest.js';
import { bareArchs, bareKernel } from './kernel/bare-kernel.js';

const MINUTE = 60_000;
const ROUNDS = 5;
const cases = bareArchs.flatMap((arch) => bareWays(arch).map((way) => ({ arch, way })));

for (const { arch, way } of cases) {
  describeWith(`letting go of the bare-metal kernel: ${arch}, traps by ${way}`, bareKernel(arch), (kernel) => {
    it('calls that are followed return by themselves, and the kernel works on', { timeout: MINUTE }, () => {
      const guest = new BareGuest(kernel, way);
      try {
        const kprobes = new KprobeRegistry(guest.host);
        const kretprobes = new KretprobeRegistry(kprobes);
        // At rest every CPU waits in a system call, whose return is the first thing that happens afterwards.
        const calls = kretprobes.register({ symbolName: 'do_syscall', handler: () => {} });
        guest.work(ROUNDS);
        expect([calls.nactive, kretprobes.tasksInCalls]).toEqual([CPUS, CPUS]);
        kretprobes.close();
        kprobes.close();
        guest.detach();
        expect(guest.work(ROUNDS)['rounds']).toBe(ROUNDS * CPUS);
        const { own, user } = guest.breaksDone;
        const told = guest.finish();
        expect([told['own_breaks'], told['user_breaks'], told['unknown_breaks']]).toEqual([own, user, 0]);
        expect([told['rounds'], told['insn_mix_wrong']]).toEqual([2 * ROUNDS * CPUS, 0]);
      } finally {
        guest.close();
      }
    });
  });
}
