import { BpfError, hi32, lo32 } from '../../../base/index.js';
import type { Btf } from '../../../btf/index.js';
import type { HostMemory, SymbolTable } from '../../index.js';
import { KernelReader } from './kernel-reader.js';
import type { CurrentTask } from './linux-tasks.js';

/**
 * The current task of x86 from the per-CPU variable that holds it, for adapters that know the CPU and nothing more:
 * `current_task` (up to 6.1, and again since 6.15) or `pcpu_hot.current_task`. ENOENT where the kernel has neither.
 */
export function perCpuCurrent(memory: HostMemory, symbols: SymbolTable, btf: Btf, cpu: () => number): CurrentTask {
  const reader = new KernelReader(memory, btf.pointerSize === 4 ? 4 : 8);
  const offsets = symbols.lookup('__per_cpu_offset')?.address;
  const variable = variableOf(symbols, btf);
  if (offsets === undefined || variable === undefined) {
    throw new BpfError('ENOENT', 'no per-CPU variable tells the current task', {
      value: offsets === undefined ? '__per_cpu_offset' : 'current_task',
      remedy: 'the kernel needs CONFIG_KALLSYMS_ALL for that',
    });
  }
  const [lo, hi] = [lo32(offsets), hi32(offsets)];
  const [low, high] = [lo32(variable), hi32(variable)];
  return (out) => {
    reader.pointer(lo, hi, cpu() * btf.pointerSize);
    const sum = (reader.lo >>> 0) + (low >>> 0);
    reader.pointer(sum | 0, (reader.hi + high + Math.floor(sum / 2 ** 32)) | 0, 0);
    out[0] = reader.lo;
    out[1] = reader.hi;
  };
}

/** Address in the per-CPU template, which is an offset where the template begins at 0. */
function variableOf(symbols: SymbolTable, btf: Btf): bigint | undefined {
  const own = symbols.lookup('current_task');
  if (own !== undefined) return own.address;
  const hot = symbols.lookup('pcpu_hot');
  const type = btf.findByName('pcpu_hot', 'struct');
  const member = type === undefined ? undefined : btf.member(type.id, 'current_task');
  return hot === undefined || member === undefined ? undefined : hot.address + BigInt(member.bitOffset / 8);
}
