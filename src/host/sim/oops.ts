import { hex64, u64 } from '../../base/index.js';
import type { SymbolTable } from '../symbol-table.js';
import type { MachineOops } from './machine/sim-machine.js';
import type { SimStacks } from './sim-stacks.js';

const FRAMES = 16;

/** The kernel's last words, in the order Linux prints them: reason, place, registers, call trace. */
export function describeOops(oops: MachineOops, symbols: SymbolTable, stacks: SimStacks): string {
  const { reason, cpu, time, regs } = oops;
  const lines = [`Oops: ${reason} on CPU ${cpu} at ${(time / 1e9).toFixed(6)} s`];
  if (regs === null) return lines.join('\n');
  lines.push(`RIP: ${symbols.format(regs.ip)} (${hex64(regs.ip)})`);
  const { names } = regs.layout;
  for (let i = 0; i < names.length; i += 4) {
    const row = names.slice(i, i + 4).map(
      (name, n) =>
        `${name.padStart(7)}: ${regs
          .get(i + n)
          .toString(16)
          .padStart(16, '0')}`,
    );
    lines.push(row.join(' '));
  }
  const frames = new Int32Array(2 * FRAMES);
  const count = stacks.kernel(regs, frames, FRAMES);
  lines.push('Call trace:');
  for (let i = 0; i < count; i++) {
    lines.push(` ${symbols.format(u64(frames[2 * i], frames[2 * i + 1]))}`);
  }
  return lines.join('\n');
}
