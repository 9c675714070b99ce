import { BpfFuncId, Errno } from '../../base/index.js';
import { CgroupArrayMap } from '../map/fd-array-map.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper } from './helper.js';
import { mapOf } from './map-argument.js';
import { TRACING_TYPES } from './program-type-sets.js';

const words = new Int32Array(2);
/** TASK_COMM_LEN */
const COMM_SIZE = 16;
const comm = new Uint8Array(COMM_SIZE);

/** Hands a pair of words, low first, to the program as a u64. */
function u64Of(run: BpfRunCtx, pair: Int32Array): number {
  run.resultHi = pair[1];
  return pair[0];
}

function currentTask(run: BpfRunCtx): number {
  run.runtime.host.tasks.current(words);
  return u64Of(run, words);
}

/** What a program asks of the current task and of the event that it handles. */
export const taskHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_get_current_pid_tgid,
    name: 'get_current_pid_tgid',
    args: [],
    ret: 'u64',
    gplOnly: false,
    impl: (run) => {
      run.runtime.host.tasks.pidTgid(words);
      return u64Of(run, words);
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_get_current_uid_gid,
    name: 'get_current_uid_gid',
    args: [],
    ret: 'u64',
    gplOnly: false,
    impl: (run) => {
      run.runtime.host.tasks.uidGid(words);
      return u64Of(run, words);
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_get_current_comm,
    name: 'get_current_comm',
    args: ['mem_uninit', 'const_size'],
    ret: 'integer',
    gplOnly: false,
    impl: getCurrentComm,
  },
  {
    id: BpfFuncId.BPF_FUNC_get_current_task,
    name: 'get_current_task',
    args: [],
    ret: 'u64',
    gplOnly: true,
    impl: currentTask,
  },
  {
    id: BpfFuncId.BPF_FUNC_get_current_task_btf,
    name: 'get_current_task_btf',
    args: [],
    ret: 'u64',
    gplOnly: true,
    impl: currentTask,
  },
  {
    id: BpfFuncId.BPF_FUNC_current_task_under_cgroup,
    name: 'current_task_under_cgroup',
    args: ['const_map_ptr', 'anything'],
    ret: 'integer',
    gplOnly: false,
    impl: currentTaskUnderCgroup,
  },
  {
    id: BpfFuncId.BPF_FUNC_get_smp_processor_id,
    name: 'get_smp_processor_id',
    args: [],
    ret: 'integer',
    gplOnly: false,
    impl: (run) => run.cpu,
  },
  {
    id: BpfFuncId.BPF_FUNC_get_attach_cookie,
    name: 'get_attach_cookie',
    args: ['ctx'],
    ret: 'u64',
    gplOnly: false,
    programTypes: TRACING_TYPES,
    impl: (run) => {
      run.resultHi = run.cookieHi;
      return run.cookieLo;
    },
  },
  {
    id: BpfFuncId.BPF_FUNC_get_func_ip,
    name: 'get_func_ip',
    args: ['ctx'],
    ret: 'u64',
    gplOnly: true,
    programTypes: TRACING_TYPES,
    impl: (run) => {
      run.resultHi = run.funcIpHi;
      return run.funcIpLo;
    },
  },
];

/** The name cut to fit and always terminated, the rest of the buffer zero. */
function getCurrentComm(run: BpfRunCtx, buffer: number, _bufferHi: number, size: number): number {
  const { memory, host } = run.runtime;
  const at = buffer >>> 0;
  memory.u8.fill(0, at, at + size);
  comm.fill(0);
  if (!host.tasks.comm(comm, 0)) return -Errno.EINVAL;
  const nul = comm.indexOf(0);
  const length = Math.min(nul < 0 ? COMM_SIZE : nul, COMM_SIZE - 1, size - 1);
  memory.u8.set(comm.subarray(0, length), at);
  return 0;
}

/** 1 or 0; -E2BIG past the end of the array, -EAGAIN where no cgroup was put. */
function currentTaskUnderCgroup(run: BpfRunCtx, mapLo: number, _mapHi: number, index: number): number {
  const map = mapOf(run, mapLo);
  if (!(map instanceof CgroupArrayMap)) return -Errno.EINVAL;
  if (index >>> 0 >= map.maxEntries) return -Errno.E2BIG;
  const cgroup = map.get(index >>> 0);
  if (cgroup === undefined) return -Errno.EAGAIN;
  return cgroup.holdsCurrent() ? 1 : 0;
}
