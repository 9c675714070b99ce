import { expect, it } from 'vitest';
import { formatHostReport, type HostFacts, runHostConformance } from '../../src/testing/index.js';
import { bootQemuLinux, damage, type LinuxArch, type QemuLinux, type TrapWay, trapWays } from './qemu-linux.js';

const MINUTES = 60_000;
/** The room for probes, and where in it the return trampoline lies (docs/qemu.md). */
const ROOM = 2 << 20;
const TRAMPOLINE = 0x100;
const wanted = (process.env['KSCOPE_GUEST_ARCH'] ?? 'x86_64,arm64,riscv64').split(',') as LinuxArch[];
const cases = wanted.flatMap((arch) => trapWays(arch).map((way) => [arch, way] as const));
const USER_END: Readonly<Partial<Record<LinuxArch, bigint>>> = { x86_64: 1n << 47n, arm64: 1n << 48n };

it.each(cases)('the host kit passes on %s, traps by %s', { timeout: 4 * MINUTES }, async (arch, way) => {
  // Without KASLR: where nothing is mapped does not depend on where the kernel lies.
  const guest = await bootQemuLinux(arch, way, { append: 'nokaslr' });
  try {
    const report = runHostConformance(guest.host, factsOf(guest, arch, way));
    expect(report.failed, formatHostReport(report)).toEqual([]);
    expect(report.rows.filter(({ outcome }) => outcome === 'blocked')).toEqual([]);
    expect(report.rows.filter(({ outcome }) => outcome === 'passed').length, formatHostReport(report)).toBeGreaterThan(
      25,
    );
    expect(damage(guest.host.console)).toBeNull();
  } finally {
    guest.host.close();
  }
});

function factsOf({ host, session }: QemuLinux, arch: LinuxArch, way: TrapWay): HostFacts {
  const size = 4 * 4096;
  // The end of the room for slots: nobody is given it before all of the rest.
  const scratch = (host.text.returnTrampoline as bigint) - BigInt(TRAMPOLINE) + BigInt(ROOM - size);
  const userEnd = USER_END[arch];
  const turns = way.startsWith('stub') ? 4 : 50;
  return {
    function: 'do_sys_openat2',
    userArgument: 1,
    workload: () => ({ calls: session.run(`open ${turns} 2`).get('opens') ?? Number.NaN }),
    scratch: { address: scratch, size },
    // Some large pages below the room, nothing is mapped.
    unmapped: (host.text.returnTrampoline as bigint) - BigInt(TRAMPOLINE) - 0x110_0000n,
    ...(userEnd === undefined ? {} : { userEnd }),
    foreign: () => {
      const counts = session.run(`break ${turns} 2`);
      return { executed: counts.get('breaks') ?? Number.NaN, handled: counts.get('sigtraps') ?? Number.NaN };
    },
  };
}
