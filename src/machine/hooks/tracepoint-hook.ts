import type { RawTracepoints } from '../../rawtp/index.js';
import type { BpfProgram, Runtime } from '../../runtime/index.js';
import { attachTracepoint, type TraceEvent } from '../../tracepoint/index.js';
import { addAccounts, type AttachedHook, type Hook, type HookOptions } from './hook.js';
import { callAccount } from './call-account.js';
import { ReattachingHook } from './reattaching-hook.js';

/** A trace event: programs see its record. */
export function tracepointHook(runtime: Runtime, event: TraceEvent): Hook {
  return {
    name: `tracepoint:${event.system}:${event.name}`,
    attach(program: BpfProgram, options: HookOptions): AttachedHook {
      return new ReattachingHook(() => {
        const link = attachTracepoint(runtime, program, event, options);
        const missedBefore = event.missed;
        let missed: number | undefined;
        return {
          detach() {
            missed = event.missed - missedBefore;
            link.detach();
          },
          account() {
            const nesting = missed ?? event.missed - missedBefore;
            const withoutRecord = { seen: nesting, delivered: 0, pending: 0, dropped: { nesting } };
            return addAccounts(callAccount(link.counts), withoutRecord);
          },
        };
      });
    },
  };
}

/** A tracepoint's raw arguments; `typed` for programs that know them by BTF. */
export function rawTracepointHook(rawTracepoints: RawTracepoints, name: string, typed: boolean): Hook {
  return {
    name: `${typed ? 'tp_btf' : 'raw_tracepoint'}:${name}`,
    attach(program: BpfProgram, options: HookOptions): AttachedHook {
      return new ReattachingHook(() => {
        const link = typed
          ? rawTracepoints.attachBtf(program, name, options)
          : rawTracepoints.attach(program, name, options);
        return { detach: () => link.detach(), account: () => callAccount(link.counts) };
      });
    },
  };
}
