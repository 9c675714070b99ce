import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExceptionTable } from '../../src/host/guest/index.js';
import { expectPatchSitesRefused, ProbeVerdicts } from './probe-verdicts.js';
import { bootQemuLinux, type LinuxArch, type QemuLinux } from './qemu-linux.js';

const MINUTES = 60_000;
/** Entries that a kernel of that architecture takes probes on: arm64 refuses them all. */
const TAKES: readonly (readonly [LinuxArch, boolean])[] = [
  ['x86_64', true],
  ['arm64', false],
  ['riscv64', true],
];

describe.each(TAKES)('what a kernel’s tables say of its instructions: %s', (arch, takes) => {
  let linux: QemuLinux;
  let verdicts: ProbeVerdicts;

  beforeAll(async () => {
    linux = await bootQemuLinux(arch, 'stub', { cpus: 1 });
    verdicts = new ProbeVerdicts(linux.host, linux.session);
  }, 3 * MINUTES);

  afterAll(() => linux?.host.close());

  it(
    'entries in the exception table are taken and refused as the guest’s own kernel does',
    { timeout: 3 * MINUTES },
    () => {
      const { memory, symbols } = linux.host;
      const all = [...new ExceptionTable(memory, symbols).addresses];
      expect(all.length).toBeGreaterThan(400);
      const answers = verdicts.of(all);
      expect(answers.filter(({ theirs, ours }) => theirs !== ours)).toEqual([]);
      expect(answers.some(({ theirs }) => theirs === null)).toBe(takes);
    },
  );

  it('jumps of static keys and static calls are refused as by the guest’s own kernel', { timeout: 3 * MINUTES }, () => {
    expectPatchSitesRefused(linux.host, verdicts, 'static key');
    if (arch === 'x86_64') expectPatchSitesRefused(linux.host, verdicts, 'static call');
  });
});
