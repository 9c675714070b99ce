import type { Btf } from '../../btf/index.js';
import type { RawTracepoints } from '../../rawtp/index.js';
import type { BpfProgram, Runtime } from '../../runtime/index.js';
import { attachTracepoint, type TraceEvent } from '../../tracepoint/index.js';
import { addAccounts, type AttachedHook, type Hook, type HookOptions } from './hook.js';
import { callAccount } from './call-account.js';
import { type LinkDetails, VMLINUX } from '../link-details.js';
import { ReattachingHook } from './reattaching-hook.js';

/** A trace event: programs see its record. */
export function tracepointHook(runtime: Runtime, event: TraceEvent): Hook {
  return {
    name: `tracepoint:${event.system}:${event.name}`,
    attach(program: BpfProgram, options: HookOptions): AttachedHook {
      return new ReattachingHook(
        () => {
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
        },
        () => ({ type: 7, perf_event_type: 5, tp_name: event.name, cookie: options.cookie ?? 0n }),
      );
    },
  };
}

/** A tracepoint's raw arguments; `typed` for programs that know them by BTF. */
export function rawTracepointHook(rawTracepoints: RawTracepoints, name: string, typed: boolean, btf: Btf | null): Hook {
  const typedef = typed ? (btf?.findByName(`btf_trace_${name}`, 'typedef')?.id ?? 0) : null;
  return {
    name: `${typed ? 'tp_btf' : 'raw_tracepoint'}:${name}`,
    attach(program: BpfProgram, options: HookOptions): AttachedHook {
      return new ReattachingHook(
        () => {
          const link = typed
            ? rawTracepoints.attachBtf(program, name, options)
            : rawTracepoints.attach(program, name, options);
          return { detach: () => link.detach(), account: () => callAccount(link.counts) };
        },
        () => rawDetails(program, name, typedef, options.cookie ?? 0n),
      );
    },
  };
}

/** `typedef`: that of a BTF-typed tracepoint, or null. */
function rawDetails(program: BpfProgram, name: string, typedef: number | null, cookie: bigint): LinkDetails {
  if (typedef === null) return { type: 1, tp_name: name, cookie };
  const { expectedAttachType } = program.executable;
  return { type: 2, attach_type: expectedAttachType, target_obj_id: VMLINUX, target_btf_id: typedef, cookie };
}
