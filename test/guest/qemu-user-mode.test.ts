import { expect, it } from 'vitest';
import { KprobeRegistry } from '../../src/kprobe/index.js';
import { bootQemuLinux, damage, type LinuxArch } from './qemu-linux.js';

const MINUTES = 60_000;
const CALLS = 4000;
const HITS = 100;
const CPUS = 2;

/** While a program runs, the tables in force lack the kernel on the first two. */
const CASES: readonly (readonly [LinuxArch, { readonly append: string; readonly call: string }])[] = [
  ['arm64', { append: 'kpti=on', call: '__arm64_sys_getppid' }],
  ['x86_64', { append: 'pti=on', call: '__x64_sys_getppid' }],
  ['riscv64', { append: '', call: '__riscv_sys_getppid' }],
];

it.each(CASES)(
  'a host comes to a guest while a program runs: %s',
  { timeout: 3 * MINUTES },
  async (arch, { append, call }) => {
    const { host, session } = await bootQemuLinux(arch, 'mailbox', {
      cpus: CPUS,
      append,
      busy: `think ${CALLS} ${CPUS}`,
    });
    try {
      const kprobes = new KprobeRegistry(host);
      const probe = kprobes.register({ symbolName: call });
      expect(host.run({ ns: 20e9, until: () => probe.nhit >= HITS })).toBe('until');
      kprobes.unregister(probe);
      expect(session.finish('think').get('calls')).toBe(CALLS * CPUS);
      expect(damage(host.console)).toBeNull();
    } finally {
      host.close();
    }
  },
);
