import { BpfMapType, u64 } from '../../base/index.js';
import { type Dynptr, DYNPTR_SIZE, DynptrType, readDynptr } from '../dynptr.js';
import { calleeName } from '../helper/helper-refusal.js';
import type { Helper, HelperArg } from '../helper/helper.js';
import { isKfunc, type KfuncIterator } from '../kfunc/kfunc.js';
import { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import { isOpenRecord } from '../open-records.js';
import { FUNC_POINTER_HI } from './access-guard.js';
import type { Activation } from './activation.js';
import { RunStopped } from './stop.js';

/** BPF_MAX_VAR_SIZ: what a size argument may be at most. */
export const MAX_SIZE = 1 << 29;

/**
 * Calls a helper as its table row says: arguments are checked by type, the result goes to r0. A program that
 * passes anything else is stopped; a verifier would not have let it in.
 */
export function callHelper(vm: Activation, helper: Helper): void {
  const { registers: r, run } = vm;
  const { args } = helper;
  for (let i = 0; i < args.length; i++) checkArgument(vm, helper, i);
  const result = helper.impl(run, r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11]);
  vm.guard.forget();
  r[0] = result;
  switch (helper.ret) {
    case 'integer':
      r[1] = result >> 31;
      return;
    case 'u64':
      r[1] = run.resultHi;
      return;
    case 'map_value_or_null':
    case 'mem_or_null':
      r[1] = result === 0 ? 0 : BPF_MEMORY_HI;
      return;
    case 'void':
      r[0] = 0;
      r[1] = 0;
  }
}

function checkArgument(vm: Activation, helper: Helper, index: number): void {
  const at = 2 + 2 * index;
  const lo = vm.registers[at];
  const hi = vm.registers[at + 1];
  if (!fits(vm, helper, index, lo, hi)) throw refusal(helper, index, lo, hi);
}

function fits(vm: Activation, helper: Helper, index: number, lo: number, hi: number): boolean {
  const { registers: r, run, guard } = vm;
  switch (helper.args[index]) {
    case 'anything':
      return true;
    case 'const_map_ptr':
      return hi === BPF_MEMORY_HI && run.runtime.mapAt(lo >>> 0) !== undefined;
    case 'map_key':
      return guard.allows(lo, hi, run.runtime.mapAt(r[2] >>> 0)?.keySize ?? 0, false);
    case 'map_value':
      return guard.allows(lo, hi, run.runtime.mapAt(r[2] >>> 0)?.valueSize ?? 0, false);
    case 'map_value_uninit':
      return allowsValue(vm, lo, hi);
    case 'mem':
      return allowsSized(vm, index, lo, hi, false);
    case 'mem_or_null':
      return (lo | hi) === 0 || allowsSized(vm, index, lo, hi, false);
    case 'mem_uninit':
      return allowsSized(vm, index, lo, hi, true);
    case 'mem_uninit_or_null':
      return (lo | hi) === 0 || allowsSized(vm, index, lo, hi, true);
    case 'map_mem':
      return allowsSized(vm, index, lo, hi, true) && !isStack(vm, lo, 1);
    case 'long_uninit':
      return guard.allows(lo, hi, 8, true);
    case 'const_str':
      return guard.allows(lo, hi, 1, false);
    case 'const_size':
      return hi === 0 && lo > 0 && lo < MAX_SIZE;
    case 'const_size_or_zero':
      return isSize(lo, hi);
    case 'ctx':
      return hi === BPF_MEMORY_HI && lo >>> 0 === run.ctx;
    case 'func':
      return hi === FUNC_POINTER_HI && vm.executable.subprogs.some((subprog) => subprog.start === lo);
    case 'stack_or_null':
      return (lo | hi) === 0 || guard.allows(lo, hi, 1, true);
    case 'ringbuf_mem':
      return hi === BPF_MEMORY_HI && isOpenRecord(run, lo >>> 0);
    case 'dynptr_uninit':
      return fitsDynptr(vm, lo, hi);
    case 'dynptr':
      return fitsDynptr(vm, lo, hi) && isUsable(vm, readDynptr(run.runtime.memory, lo >>> 0));
    case 'dynptr_ringbuf':
      return fitsDynptr(vm, lo, hi) && isRecord(vm, readDynptr(run.runtime.memory, lo >>> 0));
    case 'seq_file':
      return hi === BPF_MEMORY_HI && lo >>> 0 === run.seq?.address;
    case 'btf_id':
      return isOfHost(hi);
    case 'trusted_ptr':
      return isOfHost(hi) && (lo | hi) !== 0;
    case 'released_ptr':
      return run.objects?.references.has(u64(lo, hi)) === true;
    case 'iter_uninit':
      return fitsIterator(vm, helper, lo, hi) && run.objects?.iterators.has(lo >>> 0) !== true;
    case 'iter':
      return (
        fitsIterator(vm, helper, lo, hi) && run.objects?.iterators.get(lo >>> 0)?.name === iteratorOf(helper)?.name
      );
    default:
      return false;
  }
}

function isOfHost(hi: number): boolean {
  return hi !== BPF_MEMORY_HI && hi !== FUNC_POINTER_HI;
}

function iteratorOf(helper: Helper): KfuncIterator | undefined {
  return isKfunc(helper) ? helper.iterator : undefined;
}

/** Iterators stand on the stack, aligned. */
function fitsIterator(vm: Activation, helper: Helper, lo: number, hi: number): boolean {
  return hi === BPF_MEMORY_HI && lo % 8 === 0 && isStack(vm, lo, iteratorOf(helper)?.size ?? 0);
}

function isStack({ guard }: Activation, lo: number, size: number): boolean {
  const at = lo >>> 0;
  return at >= guard.stackStart && at + size <= guard.stackEnd;
}

/** Dynamic pointers stand on the stack, aligned. */
function fitsDynptr(vm: Activation, lo: number, hi: number): boolean {
  return hi === BPF_MEMORY_HI && lo % 8 === 0 && isStack(vm, lo, DYNPTR_SIZE);
}

/** Whether a dynamic pointer refers to nothing, or to bytes that the run may touch: it stands where a program can write. */
function isUsable(vm: Activation, dynptr: Dynptr | undefined): boolean {
  if (dynptr === undefined || dynptr.type === DynptrType.ringbuf) return isRecord(vm, dynptr);
  return dynptr.size === 0 || vm.guard.allows(dynptr.data | 0, BPF_MEMORY_HI, dynptr.size, true);
}

/** Whether it refers to nothing, or to a record that the run has open. */
function isRecord(vm: Activation, dynptr: Dynptr | undefined): boolean {
  if (dynptr === undefined || dynptr.type === DynptrType.local) return false;
  const { data, size } = dynptr;
  const touched = size === 0 || vm.guard.allows(data | 0, BPF_MEMORY_HI, size, true);
  return data === 0 || (isOpenRecord(vm.run, data) && touched);
}

/** Whether words are a size that helpers take, 0 included. */
export function isSize(lo: number, hi: number): boolean {
  return hi === 0 && lo >= 0 && lo < MAX_SIZE;
}

/** Room for a value of the map in r1. */
function allowsValue({ registers, run, guard }: Activation, lo: number, hi: number): boolean {
  const map = run.runtime.mapAt(registers[2] >>> 0);
  return guard.allows(lo, hi, map?.valueSize ?? 0, map?.type !== BpfMapType.BPF_MAP_TYPE_BLOOM_FILTER);
}

/** Memory whose size is the next argument. Nothing of it needs to exist when that is 0. */
function allowsSized(vm: Activation, index: number, lo: number, hi: number, write: boolean): boolean {
  const at = 2 + 2 * (index + 1);
  const size = vm.registers[at];
  if (vm.registers[at + 1] !== 0 || size < 0) return false;
  return size === 0 || vm.guard.allows(lo, hi, size, write);
}

const expectations: Readonly<Record<HelperArg, string>> = {
  anything: 'anything',
  const_map_ptr: 'a map',
  map_key: 'readable memory of the size of a key',
  map_value: 'readable memory of the size of a value',
  map_value_uninit: 'writable memory of the size of a value',
  mem: 'readable memory of the size in the next argument',
  mem_or_null: 'NULL or readable memory of the size in the next argument',
  mem_uninit: 'writable memory of the size in the next argument',
  mem_uninit_or_null: 'NULL or writable memory of the size in the next argument',
  map_mem: 'writable memory of a map, of the size in the next argument',
  long_uninit: '8 writable bytes',
  const_str: 'a string in a read-only map',
  const_size: 'a size of at least 1 byte',
  const_size_or_zero: 'a size',
  ctx: 'the context',
  func: 'a subprogram',
  stack_or_null: 'NULL or a pointer to the stack',
  ringbuf_mem: 'a reserved ring buffer record',
  dynptr_uninit: 'room on the stack for a dynamic pointer',
  dynptr: 'an initialized dynamic pointer',
  dynptr_ringbuf: 'a dynamic pointer to a reserved ring buffer record',
  seq_file: 'the file of the iterator',
  btf_id: 'a pointer of the host',
  trusted_ptr: 'a pointer of the host that is not NULL',
  released_ptr: 'a pointer that the run has acquired',
  iter_uninit: 'room on the stack for an iterator',
  iter: 'an initialized iterator',
};

function refusal(helper: Helper, index: number, lo: number, hi: number): RunStopped {
  const got = `0x${(hi >>> 0).toString(16)}${(lo >>> 0).toString(16).padStart(8, '0')}`;
  const wanted = expectations[helper.args[index]];
  const which = iteratorOf(helper);
  const what =
    which === undefined || !helper.args[index].startsWith('iter') ? wanted : `${wanted} (bpf_iter_${which.name})`;
  return new RunStopped(`${calleeName(helper)}: argument ${index + 1} must be ${what}, got ${got}`);
}
