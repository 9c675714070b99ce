import { BpfFuncId } from '../../base/index.js';
import type { HostClock } from '../../host/index.js';
import type { Helper } from './helper.js';

const words = new Int32Array(2);

function clockHelper(id: number, name: string, read: (clock: HostClock, out: Int32Array) => void): Helper {
  return {
    id,
    name,
    args: [],
    ret: 'u64',
    gplOnly: false,
    impl: (run) => {
      read(run.runtime.host.clock, words);
      run.resultHi = words[1];
      return words[0];
    },
  };
}

/** The host's clocks, in nanoseconds but for jiffies. */
export const timeHelpers: readonly Helper[] = [
  clockHelper(BpfFuncId.BPF_FUNC_ktime_get_ns, 'ktime_get_ns', (clock, out) => clock.monotonic(out)),
  clockHelper(BpfFuncId.BPF_FUNC_ktime_get_boot_ns, 'ktime_get_boot_ns', (clock, out) => clock.boottime(out)),
  clockHelper(BpfFuncId.BPF_FUNC_ktime_get_tai_ns, 'ktime_get_tai_ns', (clock, out) => clock.tai(out)),
  clockHelper(BpfFuncId.BPF_FUNC_jiffies64, 'jiffies64', (clock, out) => clock.jiffies(out)),
];
