import { BpfError, type ErrnoName } from '../../../base/index.js';

/** Refuses a script: `where` names the step, as `steps[2].run[0]`. */
export function refuse(
  where: string,
  what: string,
  value: string | number,
  remedy: string,
  errno: ErrnoName = 'EINVAL',
): never {
  throw new BpfError(errno, `script: ${where}: ${what}`, { value, remedy });
}
