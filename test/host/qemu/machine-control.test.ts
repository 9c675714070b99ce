import { describe, expect, it } from 'vitest';
import { RspClient } from '../../../src/host/qemu/index.js';
import { MachineControl } from '../../../src/host/qemu/machine-control.js';
import { ScriptedStub } from './scripted-stub.js';

const DESCRIPTION =
  '<target><architecture>riscv:rv64</architecture><feature name="cpu"><reg name="pc" bitsize="64" regnum="0"/></feature></target>';

/** A machine of one CPU whose steps move it, each by 4 bytes, unless the stop of another CPU comes first. */
function machine({ stops, jumps = false }: { readonly stops: number; readonly jumps?: boolean }) {
  let pc = 0x1000n;
  let left = stops;
  const hex = (): string => Buffer.from(new BigUint64Array([pc]).buffer).toString('hex');
  const stub = new ScriptedStub((request) => {
    if (request.startsWith('qSupported')) return 'PacketSize=1000;qXfer:features:read+';
    if (request.startsWith('qXfer')) return `l${DESCRIPTION}`;
    if (request === 'qfThreadInfo') return 'm1';
    if (request === 'qsThreadInfo') return 'l';
    if (request === 'g') return hex();
    if (request.startsWith('vCont;s')) {
      if (left > 0) left--;
      else if (!jumps) pc += 4n;
      return 'T05thread:1;';
    }
    return 'OK';
  });
  const client = new RspClient(stub);
  client.start();
  const control = new MachineControl(client);
  const steps = (): number => stub.asked.filter((request) => request.startsWith('vCont;s')).length;
  return { control, steps };
}

describe('one step of a CPU', () => {
  it.each([
    ['executes one instruction', { stops: 0 }, 0x1004n, 1],
    ['is made although another CPU’s stop comes first', { stops: 1 }, 0x1004n, 2],
    ['ends, too, where the instruction jumps to itself', { stops: 0, jumps: true }, 0x1000n, 2],
  ])('%s', (_what, how, pc, asked) => {
    const { control, steps } = machine(how);
    control.step('1', 0x1000n, 'pc');
    expect(control.cpu.get('pc')).toBe(pc);
    expect(steps()).toBe(asked);
  });
});
