import { describe, expect, it } from 'vitest';
import { parseHostSpec } from '../../src/cli/hosts/host-spec.js';

describe('--host', () => {
  it.each([
    [undefined, { kind: 'sim' }],
    ['sim', { kind: 'sim' }],
    ['v86:i686', { kind: 'v86' }],
    ['qemu:x86_64', { kind: 'qemu', guest: 'x86_64', trap: 'mailbox' }],
    ['qemu:arm64,trap=stub', { kind: 'qemu', guest: 'arm64', trap: 'stub' }],
    ['qemu:riscv64,trap=mailbox', { kind: 'qemu', guest: 'riscv64', trap: 'mailbox' }],
    ['qemu:x86_64,trap=pvpanic', { kind: 'qemu', guest: 'x86_64', trap: 'pvpanic' }],
  ])('%s is %j', (text, spec) => {
    expect(parseHostSpec(text)).toEqual(spec);
  });

  it.each([
    ['vm', 'there are sim, qemu:ARCH and v86:i686'],
    ['qemu', 'there are qemu:x86_64, qemu:arm64, qemu:riscv64'],
    ['qemu:i686', 'there are qemu:x86_64, qemu:arm64, qemu:riscv64'],
    ['qemu:x86_64:2', 'there are qemu:x86_64, qemu:arm64, qemu:riscv64'],
    ['v86:x86_64', 'there are sim'],
    ['qemu:x86_64,trap=magic', '"trap=magic" is not trap=mailbox|pvpanic|stub'],
    ['qemu:x86_64,', '"" is not trap='],
  ])('%s is refused: %s', (text, why) => {
    expect(() => parseHostSpec(text)).toThrow(why);
  });
});
