import { BpfMapType, Errno } from '../../../base/index.js';
import { isSize, MAX_SIZE } from '../../interp/helper-call.js';
import type { BpfMap } from '../../map/bpf-map.js';
import { BPF_MEMORY_HI } from '../../memory/bpf-memory.js';
import type { ArgumentFact, CallFact } from '../analysis/call-facts.js';
import type { Step } from '../step.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import { orCallOut } from './call-out.js';
import { copyBytes } from './copy-bytes.js';
import type { Emitter } from './emitter.js';
import { canPass, passPointer } from './pass-pointer.js';
import { QuickRingCode } from './quick-ring-code.js';
import { RingCode } from './ring-code.js';
import { commitInline, commitRoutine } from './ring-commit.js';
import { OUTPUT_FLAGS } from './ring-phrases.js';
import { GO_OUT, reserveInline, reserveRoutine } from './ring-reserve.js';

const R0 = 0;
const { i32 } = ValType;

/** bpf_ringbuf_reserve. */
export function reserveRecord(e: Emitter, step: Step, { map, arguments: [, , size, flags] }: CallFact): boolean {
  if (!isRing(map) || !isNumber(flags, 0) || !mayBeSize(size)) return false;
  e.plan.needsRun = true;
  orCallOut(e, step, () => {
    const { w } = e;
    leaveUnlessSize(e, 2, size);
    const code = quickCode(e, map, size.constant?.lo);
    if (code !== undefined && size.constant !== undefined) reserveInline(e, code, map, size.constant);
    else {
      e.cpuBlock();
      passUnlessConstant(e, 2, size);
      w.call(reserveRoutine(e, map, size.constant));
      w.set(e.pointer);
    }
    w.get(e.pointer);
    w.i64(GO_OUT);
    w.op(Wasm.i64Eq);
    w.brIf(0);
    w.get(e.pointer);
    e.setReg(R0);
  });
  return true;
}

export function submitRecord(e: Emitter, step: Step, fact: CallFact): boolean {
  return commitRecord(e, step, fact, false);
}

export function discardRecord(e: Emitter, step: Step, fact: CallFact): boolean {
  return commitRecord(e, step, fact, true);
}

/** bpf_ringbuf_output. */
export function outputRecord(e: Emitter, _step: Step, { map, arguments: [, , data, size, flags] }: CallFact): boolean {
  const words = flags.constant;
  if (!isRing(map) || words === undefined || size.constant === undefined || !mayBeSize(size)) return false;
  if (size.constant.lo > 0 && !canPass(data.way)) return false;
  const { w } = e;
  e.plan.needsRun = true;
  if (words.hi !== 0 || (words.lo & ~OUTPUT_FLAGS) !== 0) w.i64(-Errno.EINVAL);
  else {
    passPointer(e, 2, data.way);
    w.call(outputRoutine(e, map, size.constant.lo, words.lo));
    w.op(Wasm.i64ExtendI32S);
  }
  e.setReg(R0);
  return true;
}

/** bpf_ringbuf_query. */
export function queryRing(e: Emitter, _step: Step, { map, arguments: [, , selector] }: CallFact): boolean {
  const words = selector.constant;
  if (!isRing(map) || words === undefined) return false;
  if (words.hi === 0) new RingCode(e.w, e.runtime, map).query(words.lo);
  else e.w.i64(0);
  e.setReg(R0);
  return true;
}

/** bpf_ringbuf_submit and bpf_ringbuf_discard. */
function commitRecord(e: Emitter, step: Step, fact: CallFact, discard: boolean): boolean {
  const [, { record }, flags] = fact.arguments;
  const rings = record === undefined ? e.plan.executable.maps.filter(isRing) : [record.ring];
  if (rings.length === 0) return false;
  e.plan.needsRun = true;
  orCallOut(e, step, () => {
    const { w } = e;
    if (record === undefined) {
      e.regHi(1);
      w.i32(BPF_MEMORY_HI);
      w.op(Wasm.i32Ne);
      w.brIf(0);
    }
    w.block();
    const code = record === undefined ? undefined : quickCode(e, record.ring, record.size);
    if (code !== undefined && record !== undefined && flags.constant !== undefined) {
      commitInline(e, code, record.size, flags.constant, discard);
    }
    for (const ring of rings) {
      e.cpuBlock();
      e.regLo(1);
      passUnlessConstant(e, 2, flags);
      w.call(commitRoutine(e, ring, record?.size, flags.constant, discard));
      w.brIf(0);
    }
    w.br(1);
    w.end();
    w.i64(0);
    e.setReg(R0);
    e.forgetWindows();
  });
  return true;
}

/**
 * What writes the quick case of a ring call where the call stands: the first two of a function, a record's reservation
 * and its commit as a rule, are spared the way into a routine and back.
 */
function quickCode(e: Emitter, ring: BpfMap, size: number | undefined): QuickRingCode | undefined {
  if (size === undefined || e.inlineRingCalls === 0) return undefined;
  const code = new QuickRingCode(e.w, e.runtime, ring);
  if (!code.takes(size)) return undefined;
  e.inlineRingCalls--;
  return code;
}

/** (data) -> 0 or -errno. */
function outputRoutine({ plan, runtime }: Emitter, ring: BpfMap, size: number, flags: number): number {
  const type = { params: [i32], results: [i32] };
  return plan.routines.indexOf(`output ${ring.address} ${size} ${flags}`, type, (w) => {
    const code = new RingCode(w, runtime, ring);
    const record = w.local(i32);
    code.reserve({ constant: size });
    w.tee(record);
    w.op(Wasm.i32Eqz);
    w.if();
    w.i32(-Errno.EAGAIN);
    w.op(Wasm.return);
    w.end();
    copyBytes(w, record, 0, 0, 0, size);
    code.commit(record, { constant: flags }, false);
    w.i32(0);
  });
}

function isRing(map: BpfMap | undefined): map is BpfMap {
  return map?.type === BpfMapType.BPF_MAP_TYPE_RINGBUF;
}

function isNumber({ constant }: ArgumentFact, number: number): boolean {
  return constant?.lo === number && constant.hi === 0;
}

function mayBeSize({ constant }: ArgumentFact): boolean {
  return constant === undefined || isSize(constant.lo, constant.hi);
}

/** Leaves the block if the register holds no size. */
function leaveUnlessSize(e: Emitter, register: number, { constant }: ArgumentFact): void {
  if (constant !== undefined) return;
  e.reg(register);
  e.w.i64(MAX_SIZE);
  e.w.op(Wasm.i64GeU);
  e.w.brIf(0);
}

function passUnlessConstant(e: Emitter, register: number, { constant }: ArgumentFact): void {
  if (constant === undefined) e.regLo(register);
}
