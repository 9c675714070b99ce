import { hi32, lo32 } from '../../base/index.js';
import type { InsnMemory, SimulateInsn } from '../arch.js';
import type { PtRegs } from '../pt-regs.js';
import type { X86Mode } from './mode.js';

/** What an instruction does but for the pc. False: a memory fault; nothing has changed. */
export type InsnEffect = (regs: PtRegs, memory: InsnMemory) => boolean;

/** An instruction that goes on at `next` after its effect, unless that faulted. */
export function advance(mode: X86Mode, next: bigint, effect: InsnEffect): SimulateInsn {
  const { ip } = mode;
  const lo = lo32(next);
  const hi = hi32(next);
  return (regs, memory) => {
    if (!effect(regs, memory)) return false;
    regs.set(ip, lo, hi);
    return true;
  };
}
