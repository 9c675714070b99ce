import { describe, expect, it } from 'vitest';
import { RspClient, type RspRegister } from '../../../src/host/qemu/index.js';
import { CpuRegisters } from '../../../src/host/qemu/rsp/cpu-registers.js';
import { withoutPhantoms } from '../../../src/host/qemu/rsp/register-quirks.js';
import { ScriptedStub } from './scripted-stub.js';

const described = (layout: readonly (readonly [string, number])[]): Map<string, RspRegister> => {
  let offset = 0;
  return new Map(
    layout.map(([name, bits], number) => {
      const register = { name, bits, number, offset };
      offset += bits >> 3;
      return [name, register];
    }),
  );
};

function cpu(answers: Readonly<Record<string, string>>): { registers: CpuRegisters; stub: ScriptedStub } {
  const stub = new ScriptedStub((request) => answers[request] ?? 'OK');
  const client = new RspClient(stub);
  const layout = described([
    ['rax', 64],
    ['eflags', 32],
    ['cr3', 64],
  ]);
  return { registers: new CpuRegisters(client, layout), stub };
}

describe('CpuRegisters', () => {
  it('reads what one packet holds at once, and the rest when it is asked for', () => {
    const { registers, stub } = cpu({ g: '887766554433221146020000', p2: '0010000000000000' });
    registers.load('01');
    expect(registers.get('rax')).toBe(0x1122_3344_5566_7788n);
    expect(registers.get('eflags')).toBe(0x246n);
    expect(stub.asked).toEqual(['Hg01', 'g']);
    expect(registers.get('cr3')).toBe(0x1000n);
    expect(registers.get('cr3')).toBe(0x1000n);
    expect(stub.asked).toEqual(['Hg01', 'g', 'p2']);
  });

  it('writes only what has changed, in the width of the register', () => {
    const { registers, stub } = cpu({ g: '887766554433221146020000' });
    registers.load('01');
    registers.set('rax', 0x1122_3344_5566_7788n);
    registers.set('eflags', -1n);
    expect(registers.get('eflags')).toBe(0xffff_ffffn);
    registers.flush();
    registers.flush();
    expect(stub.asked.slice(2)).toEqual(['P1=ffffffff']);
  });

  it('says which register the machine does not show', () => {
    expect(() => cpu({}).registers.get('cr8')).toThrow(/value cr8\]: EOPNOTSUPP; its gdb stub does not show it/);
  });
});

describe('withoutPhantoms', () => {
  const layout = described([
    ['gs', 32],
    ['ss_base', 64],
    ['ds_base', 64],
    ['es_base', 64],
    ['gs_base', 64],
    ['cr0', 64],
  ]);

  it('drops registers that are described but not sent, and moves the others down', () => {
    expect([...withoutPhantoms(layout, 20).values()]).toEqual([
      { name: 'gs', bits: 32, number: 0, offset: 0 },
      { name: 'gs_base', bits: 64, number: 1, offset: 4 },
      { name: 'cr0', bits: 64, number: 2, offset: 12 },
    ]);
  });

  it('believes a description whose registers are all sent', () => {
    expect(withoutPhantoms(layout, 44)).toBe(layout);
  });
});
