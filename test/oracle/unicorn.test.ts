import { expect, it } from 'vitest';
import { describeWith } from './describe-with.js';
import { unicorn, UNICORN_OK, type UnicornArch } from './unicorn.js';

const CODE = 0x10_0000n;
const DATA = 0x20_0000n;

/** Sets every register of the architecture in question by instructions, so that a wrong number cannot pass. */
const rows: readonly { arch: UnicornArch; pc: string; program: (i: number) => number[]; names: string[] }[] = [
  {
    arch: 'x86_64',
    pc: 'ip',
    program: (i) => [0x48 | (i >> 3), 0xb8 + (i & 7), 0x40 + i, 0, 0, 0, 0, 0, 0, 0x81],
    names: ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'],
  },
  {
    arch: 'i386',
    pc: 'ip',
    program: (i) => [0xb8 + i, 0x40 + i, 0, 0, 0x81],
    names: ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'],
  },
  {
    arch: 'arm64',
    pc: 'pc',
    program: (i) => {
      const word = 0xd2e8_1000 + i * 0x20 + i;
      return [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff);
    },
    names: Array.from({ length: 31 }, (_, i) => `x${i}`),
  },
];
const expected = (arch: UnicornArch, i: number): bigint => {
  if (arch === 'arm64') return BigInt(0x4080 + i) << 48n;
  return (0x81n << (arch === 'i386' ? 24n : 56n)) | BigInt(0x40 + i);
};

describeWith('unicorn', unicorn(), (oracle) => {
  it.each(rows)('$arch: instructions write the registers that names stand for', ({ arch, pc, program, names }) => {
    const cpu = oracle.cpu(arch);
    cpu.map(CODE, 0x1000);
    names.forEach((name, i) => {
      const code = Uint8Array.from(program(i));
      const end = CODE + BigInt(code.length);
      cpu.writeCode(CODE, code);
      expect(cpu.run(CODE, end)).toBe(UNICORN_OK);
      cpu.save();
      expect([name, cpu.get(name), cpu.get(pc)]).toEqual([name, expected(arch, i), end]);
    });
    cpu.close();
  });

  it('runs a store with registers and memory set from here, and one instruction only', () => {
    const cpu = oracle.cpu('x86_64');
    cpu.map(CODE, 0x1000);
    cpu.map(DATA, 0x1000);
    // add %rcx,(%rdi); nop
    cpu.writeCode(CODE, Uint8Array.of(0x48, 0x01, 0x0f, 0x90));
    cpu.write(DATA, Uint8Array.of(0xff, 0xff));
    cpu.set('di', DATA);
    cpu.set('cx', 1n);
    cpu.set('flags', 2n);
    cpu.load();
    expect(cpu.run(CODE, CODE + 4n, 1)).toBe(UNICORN_OK);
    cpu.save();
    expect([...cpu.read(DATA, 3)]).toEqual([0, 0, 1]);
    expect(cpu.get('ip')).toBe(CODE + 3n);
    // PF and AF.
    expect(cpu.get('flags')).toBe(0x16n);
    cpu.close();
  });

  it('says what stopped it', () => {
    const cpu = oracle.cpu('x86_64');
    cpu.map(CODE, 0x1000);
    cpu.writeCode(CODE, Uint8Array.of(0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0x40));
    expect(cpu.run(CODE, CODE + 8n)).not.toBe(UNICORN_OK);
    expect(() => cpu.set('xmm0', 0n)).toThrow(/xmm0 is none of ax cx/);
    cpu.close();
  });
});
