/** BPF_LINK_TYPE_* of the links there are. */
export const BpfLinkType = {
  BPF_LINK_TYPE_RAW_TRACEPOINT: 1,
  BPF_LINK_TYPE_TRACING: 2,
  BPF_LINK_TYPE_ITER: 4,
  BPF_LINK_TYPE_PERF_EVENT: 7,
  BPF_LINK_TYPE_KPROBE_MULTI: 8,
  BPF_LINK_TYPE_UPROBE_MULTI: 12,
} as const;

/** enum bpf_perf_event_type */
export const BpfPerfEventType = {
  BPF_PERF_EVENT_UPROBE: 1,
  BPF_PERF_EVENT_URETPROBE: 2,
  BPF_PERF_EVENT_KPROBE: 3,
  BPF_PERF_EVENT_KRETPROBE: 4,
  BPF_PERF_EVENT_TRACEPOINT: 5,
  BPF_PERF_EVENT_EVENT: 6,
} as const;

/** BPF_F_KPROBE_MULTI_RETURN, BPF_F_UPROBE_MULTI_RETURN */
export const BPF_F_MULTI_RETURN = 1;

/** Id of the kernel's own BTF, as it is on a Linux that has loaded no other before. */
export const VMLINUX = 1;

/**
 * The part of struct bpf_link_info that is a link type's own, by the kernel's names; strings and arrays stand in the place of
 * pointers to them and their lengths.
 */
export type LinkDetails =
  | { readonly type: 1; readonly tp_name: string; readonly cookie: bigint }
  | {
      readonly type: 2;
      readonly attach_type: number;
      /** Id of the kernel's BTF, and of the function or the tracepoint's typedef in it. */
      readonly target_obj_id: number;
      readonly target_btf_id: number;
      readonly cookie: bigint;
    }
  | {
      readonly type: 4;
      readonly target_name: string;
      readonly map_id?: number;
      readonly tid?: number;
      readonly pid?: number;
    }
  | {
      readonly type: 7;
      readonly perf_event_type: 1 | 2;
      readonly file_name: string;
      readonly offset: number;
      readonly cookie: bigint;
    }
  | {
      readonly type: 7;
      readonly perf_event_type: 3 | 4;
      readonly func_name: string;
      readonly offset: number;
      readonly addr: bigint;
      readonly missed: bigint;
      readonly cookie: bigint;
    }
  | { readonly type: 7; readonly perf_event_type: 5; readonly tp_name: string; readonly cookie: bigint }
  | {
      readonly type: 7;
      readonly perf_event_type: 6;
      /** PERF_TYPE_* and its config. */
      readonly event_type: number;
      readonly config: bigint;
      readonly cookie: bigint;
    }
  | {
      readonly type: 8;
      readonly addrs: readonly bigint[];
      readonly cookies: readonly bigint[];
      readonly flags: number;
      readonly missed: bigint;
    }
  | {
      readonly type: 12;
      readonly path: string;
      readonly offsets: readonly number[];
      readonly ref_ctr_offsets: readonly number[];
      readonly cookies: readonly bigint[];
      readonly flags: number;
      readonly pid: number;
    };

/** What BPF_OBJ_GET_INFO_BY_FD answers for a link. */
export type BpfLinkInfo = LinkDetails & { readonly id: number; readonly prog_id: number };
