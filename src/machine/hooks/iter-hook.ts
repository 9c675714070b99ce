import { BpfError } from '../../base/index.js';
import type { Iterators, IterOptions } from '../../iter/index.js';
import type { BpfProgram } from '../../runtime/index.js';
import { callAccount } from './call-account.js';
import type { AttachedHook, Hook, HookOptions } from './hook.js';

/** A walk that happens when its file is read. */
export function iterHook(iterators: Iterators, target: string, options: IterOptions): Hook {
  return {
    name: `iter:${target}`,
    attach(program: BpfProgram, hookOptions: HookOptions): AttachedHook {
      const link = iterators.attach(program, target, { ...options, ...hookOptions });
      let enabled = true;
      return {
        setEnabled: (on) => {
          enabled = on;
        },
        account: () => callAccount(link.counts),
        details: () => ({
          type: 4,
          target_name: target,
          ...(options.map === undefined ? {} : { map_id: options.map.id }),
          ...(options.tid === undefined ? {} : { tid: options.tid }),
          ...(options.pid === undefined ? {} : { pid: options.pid }),
        }),
        open: () => {
          if (enabled) return link.open();
          throw new BpfError('EBUSY', `opening iterator ${target}`, { remedy: 'its link is paused: resume it' });
        },
        detach: () => link.detach(),
      };
    },
  };
}
