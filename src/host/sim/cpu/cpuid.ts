import { type CpuState, Reg } from './cpu-state.js';

/** Features in leaf 1 edx: TSC, MSR, CX8, PGE, CMOV; ecx: CX16, POPCNT, hypervisor. */
const LEAF1_EDX = (1 << 4) | (1 << 5) | (1 << 8) | (1 << 13) | (1 << 15);
const LEAF1_ECX = (1 << 13) | (1 << 23) | (1 << 31);
/** Extended features: syscall, NX, long mode. */
const EXTENDED_EDX = (1 << 11) | (1 << 20) | (1 << 29);

/** cpuid: says what this processor is, nothing that depends on the machine it is simulated on. */
export function runCpuid(cpu: CpuState): void {
  const leaf = cpu.r[Reg.AX];
  const [a, b, c, d] = answer(leaf, cpu.number);
  cpu.setRegister(Reg.AX, 4, a, 0);
  cpu.setRegister(Reg.BX, 4, b, 0);
  cpu.setRegister(Reg.CX, 4, c, 0);
  cpu.setRegister(Reg.DX, 4, d, 0);
}

function answer(leaf: number, cpu: number): [number, number, number, number] {
  switch (leaf >>> 0) {
    case 0:
      return [1, word('ksco'), word('mCPU'), word('peSi')];
    case 1:
      return [0x600, cpu << 24, LEAF1_ECX, LEAF1_EDX];
    case 0x8000_0000:
      return [0x8000_0001 | 0, 0, 0, 0];
    case 0x8000_0001:
      return [0, 0, 0, EXTENDED_EDX];
    default:
      return [0, 0, 0, 0];
  }
}

/** Four ASCII characters as a little-endian word. */
function word(text: string): number {
  return [0, 1, 2, 3].reduce((value, i) => value | (text.charCodeAt(i) << (8 * i)), 0);
}
