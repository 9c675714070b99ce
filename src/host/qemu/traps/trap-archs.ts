import type { Arch } from '../../../arch/index.js';
import { BpfError } from '../../../base/index.js';
import { arm64Traps } from './arm64-traps.js';
import { loongarch64Traps } from './loongarch64-traps.js';
import { riscv64Traps } from './riscv64-traps.js';
import type { TrapArch } from './trap-arch.js';
import { x86_64Traps } from './x86-64-traps.js';

const ARCHS: readonly TrapArch[] = [x86_64Traps, arm64Traps, riscv64Traps, loongarch64Traps];

/** EOPNOTSUPP for an architecture whose traps nobody knows to take. */
export function trapArchOf(name: Arch['name']): TrapArch {
  const found = ARCHS.find((arch) => arch.name === name);
  if (found !== undefined) return found;
  throw new BpfError('EOPNOTSUPP', 'attaching to a guest under QEMU', {
    value: name,
    remedy: `known are ${ARCHS.map((arch) => arch.name).join(', ')}`,
  });
}
