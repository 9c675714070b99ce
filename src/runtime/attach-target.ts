/** Where a program wants to be attached, as parsed from a section name or given by the caller. */
export type AttachTarget =
  | { readonly kind: 'tracepoint'; readonly system: string; readonly name: string }
  | { readonly kind: 'raw_tracepoint'; readonly name: string; readonly writable: boolean }
  | { readonly kind: 'tp_btf'; readonly name: string }
  | { readonly kind: 'kprobe'; readonly symbol: string; readonly offset: number; readonly address?: bigint }
  | { readonly kind: 'kretprobe'; readonly symbol: string; readonly maxactive: number; readonly address?: bigint }
  /** Many functions at once: those that a pattern (`*`, `?`) matches, or a list, with a cookie for each if wanted. */
  | {
      readonly kind: 'kprobe_multi';
      readonly on: 'entry' | 'return' | 'session';
      readonly pattern?: string;
      readonly symbols?: readonly string[];
      readonly addresses?: readonly bigint[];
      readonly cookies?: readonly bigint[];
    }
  /** A function of the kernel, with its arguments as its BTF types them: at entry, at return, or in its place. */
  | { readonly kind: 'fentry' | 'fexit' | 'fmod_ret'; readonly name: string }
  /** A system call by its name, whatever its function is called on the host. */
  | { readonly kind: 'ksyscall' | 'kretsyscall'; readonly syscall: string }
  /** A walk over things of the kernel: `task`, `bpf_map` ... */
  | { readonly kind: 'iter'; readonly target: string }
  /** A function of another BPF program, which this one replaces. */
  | { readonly kind: 'freplace'; readonly name: string }
  /** A security hook, of the system or of a cgroup. */
  | { readonly kind: 'lsm'; readonly name: string; readonly cgroup: boolean }
  /** A member of a kernel's table of functions. */
  | { readonly kind: 'struct_ops'; readonly member: string }
  /** A cgroup's hook, or one of a network device or socket, by its section name and BpfAttachType (0 where it has none). */
  | { readonly kind: 'cgroup' | 'net'; readonly hook: string; readonly attachType: number }
  | { readonly kind: 'perf_event' }
  /** An instruction of a program's file: of a function, or without `symbol` at an offset in the file. */
  | {
      readonly kind: 'uprobe' | 'uretprobe';
      readonly path: string;
      readonly symbol?: string;
      readonly offset: number;
      /** Only in this process. */
      readonly pid?: number;
    }
  /** Functions of a program's file that a pattern matches. */
  | {
      readonly kind: 'uprobe_multi';
      readonly on: 'entry' | 'return' | 'session';
      readonly path: string;
      readonly pattern: string;
      readonly pid?: number;
    }
  /** Every place of that name in a program's file. */
  | {
      readonly kind: 'usdt';
      readonly path: string;
      readonly provider: string;
      readonly name: string;
      readonly pid?: number;
    }
  /**
   * A section name that tells no target: libbpf does not know it, it names a kind of hook alone, or what it names
   * cannot be read. `attach` refuses it by this name.
   */
  | { readonly kind: 'other'; readonly section: string; readonly why: 'unknown' | 'no_target' | 'malformed' };
