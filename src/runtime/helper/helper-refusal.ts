import { BpfProgType } from '../../base/index.js';
import type { Executable } from '../executable.js';
import type { Helper } from './helper.js';

/** Licences that count as GPL (include/linux/license.h). */
const GPL_COMPATIBLE: readonly string[] = [
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
];

export function isGplCompatible(license: string): boolean {
  return GPL_COMPATIBLE.includes(license);
}

/**
 * Why a program may not call a helper: its type, or its licence; undefined where it may. Programs of no type, as
 * in the plugin protocol, may call all of them.
 */
export function helperRefusal(helper: Helper, { type, expectedAttachType, license }: Executable): string | undefined {
  const { id, name, programTypes, attachTypes, gplOnly } = helper;
  const fits = programTypes?.includes(type) !== false && attachTypes?.includes(expectedAttachType) !== false;
  if (type !== BpfProgType.BPF_PROG_TYPE_UNSPEC && !fits) {
    return `program of this type cannot use helper bpf_${name}#${id}`;
  }
  if (gplOnly && !isGplCompatible(license)) {
    return `cannot call GPL-restricted helper bpf_${name}#${id} from a program that is not GPL-compatible (licence "${license}")`;
  }
  return undefined;
}
