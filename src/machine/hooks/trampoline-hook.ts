import type { Btf } from '../../btf/index.js';
import type { TrampolineKind, TrampolineLink, Trampolines } from '../../kprobe/index.js';
import type { BpfProgram } from '../../runtime/index.js';
import { callAccount } from './call-account.js';
import { addAccounts, type AttachedHook, type Hook, type HookAccount, type HookOptions } from './hook.js';
import { VMLINUX } from '../link-details.js';
import { ReattachingHook } from './reattaching-hook.js';

/** A function of the kernel, with its arguments as BTF types them. */
export function trampolineHook(trampolines: Trampolines, kind: TrampolineKind, name: string, btf: Btf | null): Hook {
  return {
    name: `${kind}:${name}`,
    attach(program: BpfProgram, options: HookOptions): AttachedHook {
      return new ReattachingHook(
        () => {
          const link = trampolines.attach(program, name, kind, options);
          return { detach: () => link.detach(), account: () => accountOf(link) };
        },
        () => ({
          type: 2,
          attach_type: program.executable.expectedAttachType,
          target_obj_id: VMLINUX,
          target_btf_id: btf?.findByName(name, 'func')?.id ?? 0,
          cookie: options.cookie ?? 0n,
        }),
      );
    },
  };
}

function accountOf({ counts, missed }: TrampolineLink): HookAccount {
  const { recursion, fault, noReturn } = missed;
  const dropped = { recursion, fault, 'no return': noReturn } as const;
  return addAccounts(callAccount(counts), { seen: recursion + fault + noReturn, delivered: 0, pending: 0, dropped });
}
