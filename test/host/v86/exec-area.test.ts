import { describe, expect, it } from 'vitest';
import { ExecArea } from '../../../src/host/v86/exec-area.js';
import { V86Ram } from '../../../src/host/v86/v86-ram.js';
import { fakeCpu } from './fake-cpu.js';

const BASE = 0xc000_0000;
const PAGES = 15;

function area(): { readonly area: ExecArea; readonly ram: V86Ram } {
  const ram = new V86Ram(fakeCpu());
  return { ram, area: new ExecArea(ram, BASE) };
}

describe('memory for displaced instructions in upper memory', () => {
  it('gives out pages that do not overlap, none of them the page of the stub', () => {
    const { area: exec } = area();
    const pages = Array.from({ length: PAGES }, () => exec.allocate(4096) as number);
    expect(new Set(pages).size).toBe(PAGES);
    for (const page of pages) {
      expect(page % 4096).toBe(0);
      expect(exec.holds(page) && exec.holds(page + 4095)).toBe(true);
      expect(Math.floor(exec.stub / 4096)).not.toBe(page / 4096);
      expect(Math.floor(exec.trampoline / 4096)).not.toBe(page / 4096);
    }
    expect(exec.allocate(1)).toBeNull();
  });

  it('takes pages back', () => {
    const { area: exec } = area();
    const pages = Array.from({ length: PAGES }, () => exec.allocate(4096) as number);
    exec.free(pages[3], 4096);
    expect(exec.allocate(4096)).toBe(pages[3]);
  });

  it('gives out runs of pages, and nothing for nothing', () => {
    const { area: exec } = area();
    const run = exec.allocate(3 * 4096) as number;
    const rest = Array.from({ length: PAGES - 3 }, () => exec.allocate(1));
    expect(rest.every((page) => page !== null && (page < run || page >= run + 3 * 4096))).toBe(true);
    expect(exec.allocate(0)).toBeNull();
  });

  it('knows its own from before the machine was saved', () => {
    const { ram } = area();
    ram.write(0xd_1000, Uint8Array.of(0x90), 0, 1);
    expect(() => new ExecArea(ram, BASE)).not.toThrow();
  });

  it('refuses memory that something else has filled, and says where', () => {
    const ram = new V86Ram(fakeCpu());
    ram.write(0xd_8001, Uint8Array.of(0x55), 0, 1);
    expect(() => new ExecArea(ram, BASE)).toThrow(/offset 884737 \(0xd8001\), value 0x55\]: EBUSY/);
  });
});
