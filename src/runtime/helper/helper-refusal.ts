import { BpfProgType } from '../../base/index.js';
import type { Executable } from '../executable.js';
import { isKfunc } from '../kfunc/kfunc.js';
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

/** Name of a helper with its number, or of a kernel function. */
export function calleeName(helper: Helper): string {
  return isKfunc(helper) ? helper.name : `bpf_${helper.name}#${helper.id}`;
}

/**
 * Why a program may not call a helper or kernel function: its type, its licence, or that it cannot sleep; undefined where it may.
 * Programs of no type, as in the plugin protocol, may call all of them.
 */
export function helperRefusal(helper: Helper, executable: Executable): string | undefined {
  const { type, expectedAttachType, license, sleepable } = executable;
  const { programTypes, attachTypes, gplOnly } = helper;
  const fits = programTypes?.includes(type) !== false && attachTypes?.includes(expectedAttachType) !== false;
  const wording = isKfunc(helper) ? KFUNC_WORDING : HELPER_WORDING;
  if (type !== BpfProgType.BPF_PROG_TYPE_UNSPEC && !fits) return wording.unfit(calleeName(helper));
  if (gplOnly && !isGplCompatible(license)) return wording.licence(calleeName(helper), license);
  if (helper.sleepable === true && sleepable !== true) return wording.sleeps(calleeName(helper));
  return undefined;
}

interface Wording {
  readonly unfit: (name: string) => string;
  readonly licence: (name: string, license: string) => string;
  readonly sleeps: (name: string) => string;
}

const HELPER_WORDING: Wording = {
  unfit: (name) => `program of this type cannot use helper ${name}`,
  licence: (name, license) =>
    `cannot call GPL-restricted helper ${name} from a program that is not GPL-compatible (licence "${license}")`,
  sleeps: (name) => `helper call might sleep in a non-sleepable prog: ${name}`,
};

const KFUNC_WORDING: Wording = {
  unfit: (name) => `calling kernel function ${name} is not allowed`,
  licence: (name, license) =>
    `cannot call kernel function ${name} from non-GPL compatible program (licence "${license}")`,
  sleeps: (name) => `program must be sleepable to call sleepable kfunc ${name}`,
};
