import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeInsn, X86Insn } from '../../../src/arch/index.js';
import { encodedSimImage as image } from '../../../src/host/sim/image.js';
import { decodeBase64 } from '../../../src/host/sim/sim-image.js';
import { parseBtf } from '../../../src/btf/index.js';

interface ImageSymbol {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly type: string;
}

const kernel = decodeBase64(image.kernel);
const btf = parseBtf(decodeBase64(image.btf));

const symbols: ImageSymbol[] = image.symbols.split('\n').map((line) => {
  const [offset, size, type, name] = line.split(' ') as [string, string, string, string];
  return { name, offset: Number.parseInt(offset, 16), size: Number.parseInt(size, 16), type };
});
const functions = symbols.filter(({ type, size }) => /t/i.test(type) && size > 0);

interface Instruction {
  readonly offset: number;
  readonly length: number;
}

/** Its instructions, or the offset of the first that cannot be decoded. */
function instructionsOf({ offset, size }: ImageSymbol): Instruction[] | number {
  const insn = new X86Insn();
  const found: Instruction[] = [];
  for (let at = offset; at < offset + size; at += insn.length) {
    if (decodeInsn(kernel, at, insn) === null) return at;
    found.push({ offset: at, length: insn.length });
  }
  return found;
}

/** Conditional jumps: 70..7f, or 0f 80..8f. */
function branches(instructions: readonly Instruction[]): number {
  return instructions.filter(({ offset }) => {
    const first = kernel[offset];
    return (first & 0xf0) === 0x70 || (first === 0x0f && (kernel[offset + 1] & 0xf0) === 0x80);
  }).length;
}

const callPaths = {
  open: 'do_syscall_64 __x64_sys_openat do_sys_openat2 getname_flags do_filp_open path_openat link_path_walk walk_component lookup_fast vfs_open do_dentry_open fd_install',
  read: 'ksys_read vfs_read new_sync_read ext4_file_read_iter generic_file_read_iter filemap_read page_cache_sync_ra copy_page_to_iter',
  write:
    'ksys_write vfs_write new_sync_write ext4_file_write_iter ext4_buffered_write_iter generic_perform_write ext4_da_write_begin ext4_da_write_end',
  files:
    'vfs_fsync_range ext4_sync_file ext4_writepages do_unlinkat vfs_unlink ext4_unlink vfs_statx do_mkdirat vfs_mkdir',
  processes:
    'kernel_clone copy_process dup_task_struct wake_up_new_task do_execveat_common bprm_execve load_elf_binary begin_new_exec do_exit do_wait release_task',
  scheduler:
    'try_to_wake_up wake_up_process ttwu_do_activate schedule __schedule pick_next_task context_switch finish_task_switch scheduler_tick update_curr',
  time: 'do_nanosleep hrtimer_nanosleep hrtimer_start hrtimer_interrupt tick_sched_timer call_timer_fn run_timer_softirq mod_timer',
  block:
    'submit_bio submit_bio_noacct blk_mq_submit_bio blk_account_io_start blk_mq_start_request blk_mq_end_request blk_update_request blk_account_io_done virtblk_done',
  net: 'tcp_v4_connect tcp_connect tcp_sendmsg tcp_recvmsg tcp_close inet_csk_accept tcp_v4_rcv tcp_rcv_established tcp_rcv_state_process netif_rx',
  memory:
    'do_user_addr_fault handle_mm_fault do_anonymous_page do_wp_page do_fault alloc_pages kmem_cache_alloc kmem_cache_free __kmalloc kfree _copy_from_user _copy_to_user strncpy_from_user',
};

describe('text', () => {
  test('every function consists of instructions the decoder knows', () => {
    expect(functions.filter((symbol) => typeof instructionsOf(symbol) === 'number').map(({ name }) => name)).toEqual(
      [],
    );
  });

  test('there are hundreds of functions of eight instructions and a branch or more', () => {
    const worthProbing = functions.filter((symbol) => {
      const instructions = instructionsOf(symbol);
      return typeof instructions !== 'number' && instructions.length >= 8 && branches(instructions) > 0;
    });
    expect(worthProbing.length).toBeGreaterThanOrEqual(300);
  });

  test.each(Object.entries(callPaths))('%s goes through functions with the names Linux has there', (_, path) => {
    const known = new Set(functions.map(({ name }) => name));
    expect(path.split(' ').filter((name) => !known.has(name))).toEqual([]);
  });

  test('every function outside entry code keeps a frame pointer', () => {
    const assembly = new Set(['arch_rethook_trampoline', 'memcpy', 'memset', 'clear_page']);
    const noFrame = functions.filter(({ name, offset }) => {
      const address = image.base + BigInt(offset);
      if (address >= (image.noProbe.at(-1)?.from ?? 0n) || name === 'startup_64' || assembly.has(name)) return false;
      return kernel[offset] !== 0x55;
    });
    expect(noFrame.map(({ name }) => name)).toEqual([]);
  });

  test('the places the trap path runs through refuse probes', () => {
    const refused = (name: string): boolean => {
      const symbol = functions.find((candidate) => candidate.name === name) as ImageSymbol;
      const address = image.base + BigInt(symbol.offset);
      return image.noProbe.some(({ from, to }) => address >= from && address < to);
    };
    expect(['exc_int3', 'exc_debug', 'asm_exc_int3', 'entry_SYSCALL_64', 'error_return'].map(refused)).not.toContain(
      false,
    );
  });
});

describe('types', () => {
  /** Byte offset of a member, nested ones by path. */
  function offsetOf(struct: string, path: string): number | undefined {
    const type = btf.findByName(struct, 'struct');
    const location = type === undefined ? undefined : btf.member(type.id, path);
    return location === undefined ? undefined : location.bitOffset / 8;
  }

  const contexts: readonly [string, Readonly<Record<string, number>>][] = [
    ['pt_regs', { r15: 0, bp: 32, ax: 80, di: 112, orig_ax: 120, ip: 128, sp: 152, ss: 160 }],
    ['trace_event_raw_sys_enter', { ent: 0, id: 8, args: 16 }],
    ['trace_event_raw_sys_exit', { id: 8, ret: 16 }],
    [
      'trace_event_raw_sched_switch',
      { prev_comm: 8, prev_pid: 24, prev_prio: 28, prev_state: 32, next_comm: 40, next_pid: 56, next_prio: 60 },
    ],
    ['trace_event_raw_sched_process_exec', { __data_loc_filename: 8, pid: 12, old_pid: 16 }],
    [
      'trace_event_raw_block_rq',
      { dev: 8, sector: 16, nr_sector: 24, bytes: 28, rwbs: 32, comm: 40, __data_loc_cmd: 56 },
    ],
    [
      'trace_event_raw_block_rq_completion',
      { dev: 8, sector: 16, nr_sector: 24, error: 28, rwbs: 32, __data_loc_cmd: 40 },
    ],
    ['bpf_perf_event_data', { regs: 0, sample_period: 168, addr: 176 }],
  ];
  test.each(contexts)('the context %s is laid out as on Linux', (struct, offsets) => {
    expect(Object.fromEntries(Object.keys(offsets).map((name) => [name, offsetOf(struct, name)]))).toEqual(offsets);
  });

  const fields = {
    task_struct:
      'pid tgid comm __state flags prio static_prio real_parent parent group_leader mm files cred real_cred nsproxy start_time start_boottime exit_code exit_signal se.sum_exec_runtime se.vruntime',
    file: 'f_path.dentry f_path.mnt f_inode f_flags f_mode f_pos f_op private_data',
    dentry: 'd_name.name d_name.len d_parent d_inode d_sb d_iname',
    inode: 'i_ino i_size i_mode i_rdev i_sb i_nlink i_mapping',
    filename: 'name uptr',
    request: '__sector __data_len cmd_flags q part bio start_time_ns io_start_time_ns',
    request_queue: 'disk',
    gendisk: 'disk_name major first_minor part0 queue',
    bio: 'bi_iter.bi_sector bi_iter.bi_size bi_opf bi_bdev bi_status',
    mm_struct: 'arg_start arg_end start_stack start_code exe_file total_vm',
    cred: 'uid.val gid.val euid.val',
    sock: '__sk_common.skc_daddr __sk_common.skc_rcv_saddr __sk_common.skc_dport __sk_common.skc_num __sk_common.skc_family __sk_common.skc_state sk_err',
    linux_binprm: 'filename interp argc file mm',
    irqaction: 'name irq handler',
    timer_list: 'expires function flags',
    hrtimer: 'function _softexpires',
  };
  test.each(Object.entries(fields))('struct %s has the fields that programs read', (struct, names) => {
    expect(names.split(' ').filter((name) => offsetOf(struct, name) === undefined)).toEqual([]);
  });

  test('a task is not laid out as on Linux', () => {
    expect(offsetOf('task_struct', 'start_time')).toBe(0);
    expect(offsetOf('task_struct', 'pid')).not.toBe(offsetOf('task_struct', 'tgid'));
    expect(offsetOf('sock', '__sk_common')).not.toBe(0);
  });

  test('each tracepoint has the typedef of its BTF-typed programs, and each function its prototype', () => {
    const without = image.tracepoints.filter(
      ({ name }) => btf.findByName(`btf_trace_${name}`, 'typedef') === undefined,
    );
    expect(without.map(({ name }) => name)).toEqual([]);
    expect(btf.prototypeOf('vfs_read')?.params.map(({ name }) => name)).toEqual(['file', 'buf', 'count', 'pos']);
  });
});

describe('the image', () => {
  test('is small enough to be downloaded', () => {
    const file = readFileSync(new URL('../../../src/host/sim/image.ts', import.meta.url));
    expect(file.length).toBeLessThan(800_000);
  });

  test('names its tracepoints in the order of their indices, each with a flag of its own', () => {
    expect(image.tracepoints.map(({ name }) => name).slice(0, 3)).toEqual(['sys_enter', 'sys_exit', 'sched_switch']);
    expect(new Set(image.tracepoints.map(({ flag }) => flag)).size).toBe(image.tracepoints.length);
  });
});
