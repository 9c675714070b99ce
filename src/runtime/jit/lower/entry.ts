import { BpfProgType } from '../../../base/index.js';
import { AttachmentBlock } from '../../attachment-block.js';
import { CpuBlock } from '../../cpu-block.js';
import { type HitGuard, hitGuard } from '../../hit-guard.js';
import { MAX_FRAMES, STACK_FRAME } from '../../interp/access-guard.js';
import { BPF_CALL, BPF_JMP, BPF_X } from '../../isa/opcodes.js';
import { StateLayout } from '../state-layout.js';
import { Wasm } from '../wasm/opcodes.js';
import type { Emitter } from './emitter.js';

/**
 * Parameters of the entry function, all i32. A hit passes its CPU and the offset of its `AttachmentBlock`; a run that
 * JavaScript has prepared passes the stack pointer, and 0.
 */
export const EntryParam = { ctx: 0, cpuOrStack: 1, attachment: 2, count: 3 } as const;

/** Behind the prologue of programs that hooks run the parameters hold, also in prepared runs: */
const Event = { cpu: EntryParam.cpuOrStack, attachment: EntryParam.attachment } as const;

const R1 = 1;
const R2 = 2;
const R10 = 10;

/** Guard of a hit, and the account of those that are missed; stack pointer, r1 and r2 as the entry function finds them. */
export function beginEntry(e: Emitter): void {
  const { w } = e;
  const guard = hitGuard(e.plan.executable.type);
  if (guard === undefined) {
    w.get(EntryParam.cpuOrStack);
    w.set(e.sp);
  } else {
    w.get(EntryParam.attachment);
    w.if();
    beginHit(e, guard);
    w.else();
    beginPrepared(e);
    w.end();
    if (hasSubprogs(e)) storeEvent(e);
  }
  w.get(EntryParam.ctx);
  e.toPointer();
  e.setReg(R1);
  if (e.plan.executable.type === BpfProgType.BPF_PROG_TYPE_UNSPEC) {
    e.loadState(Wasm.i64Load32U, StateLayout.r2);
    e.setReg(R2);
  }
}

/** Before a hit stops: which one it is, and r10. Functions that the entry has called find it noted. */
export function noteEvent(e: Emitter): void {
  if (!runsAtHooks(e)) return;
  if (!hasSubprogs(e)) storeEvent(e);
  if (usesStack(e)) return;
  const { w } = e;
  w.get(e.sp);
  w.op(Wasm.i32Eqz);
  w.if();
  loadStackPointer(e);
  w.get(e.sp);
  e.toPointer();
  e.setReg(R10);
  w.end();
}

/** Leaves the high word of r0 for `EngineProgram.run`; what a hit returns is not looked at beyond the low one. */
export function leaveHighWord(e: Emitter): void {
  const { w, plan } = e;
  const isRun = isAtHook(e);
  if (isRun) {
    w.get(Event.attachment);
    w.i32(plan.state + StateLayout.ownAttachment);
    w.op(Wasm.i32Eq);
    w.if();
  }
  w.i32(0);
  e.regHi(0);
  w.memory(Wasm.i32Store, plan.state + StateLayout.resultHi);
  if (isRun) w.end();
}

/** Leaves the offset of the block on the stack in which an attachment's cookie and address are. */
export function attachmentBlock(e: Emitter): void {
  e.plan.usesAttachment = true;
  if (isAtHook(e)) e.w.get(Event.attachment);
  else e.loadState(Wasm.i32Load, StateLayout.attachment);
}

export function runsAtHooks(e: Emitter): boolean {
  return hitGuard(e.plan.executable.type) !== undefined;
}

/** Whether the parameters are those of an event. */
export function isAtHook(e: Emitter): boolean {
  return e.isEntry && runsAtHooks(e);
}

function hasSubprogs(e: Emitter): boolean {
  return e.plan.subprogs.size > 1;
}

/** Whether any instruction names r10 or calls something; others need not know where the stack is. */
function usesStack({ plan: { executable } }: Emitter): boolean {
  return executable.insns.some(({ code, dst, src }) => dst === R10 || src === R10 || isCall(code));
}

function isCall(code: number): boolean {
  return (code & ~BPF_X) === (BPF_JMP | BPF_CALL);
}

/**
 * The guard is asked and not set: only closed programs are entered like this, and what calls nothing is not
 * interrupted. Where such a program has to stop, its attachment opens the run late and sets the guard meanwhile.
 * Guards are set by runs that have a run context; while there is none on the CPU nothing else needs to be asked.
 */
function beginHit(e: Emitter, guard: HitGuard): void {
  const { w } = e;
  loadFromCpuBlock(e, CpuBlock.depth);
  w.if();
  returnIfMissed(e, guard);
  w.end();
  if (usesStack(e)) loadStackPointer(e);
  beginBudget(e);
  if (hasSubprogs(e)) {
    w.i32(0);
    w.get(e.sp);
    w.i32((MAX_FRAMES - 1) * STACK_FRAME);
    w.op(Wasm.i32Sub);
    w.memory(Wasm.i32Store, e.plan.state + StateLayout.frameLimit);
  }
}

function returnIfMissed(e: Emitter, guard: HitGuard): void {
  const { w } = e;
  loadFromCpuBlock(e, CpuBlock.stackPointer);
  w.op(Wasm.i32Eqz);
  loadGuard(e, guard);
  w.tee(e.address);
  w.op(Wasm.i32Or);
  w.if();
  count(e, () => {
    w.i32(AttachmentBlock.recursion);
    w.i32(AttachmentBlock.nesting);
    w.get(e.address);
    w.op(Wasm.select);
  });
  w.i32(0);
  w.op(Wasm.return);
  w.end();
}

function loadStackPointer(e: Emitter): void {
  loadFromCpuBlock(e, CpuBlock.stackPointer);
  e.w.set(e.sp);
}

function beginPrepared(e: Emitter): void {
  const { w } = e;
  w.get(EntryParam.cpuOrStack);
  w.set(e.sp);
  e.loadState(Wasm.i32Load, StateLayout.cpu);
  w.set(Event.cpu);
  w.i32(e.plan.state + StateLayout.ownAttachment);
  w.set(Event.attachment);
}

/** Adds 1 to a counter of the attachment. */
function count(e: Emitter, counter: () => void): void {
  const { w } = e;
  w.get(EntryParam.attachment);
  counter();
  w.op(Wasm.i32Add);
  w.tee(e.element);
  w.get(e.element);
  w.memory(Wasm.i64Load, 0);
  w.i64(1);
  w.op(Wasm.i64Add);
  w.memory(Wasm.i64Store, 0);
}

function loadFromCpuBlock(e: Emitter, field: number): void {
  e.cpuBlock();
  e.w.memory(Wasm.i32Load, field);
}

function loadGuard(e: Emitter, guard: HitGuard): void {
  const { w } = e;
  if (guard === 'cpu') {
    loadFromCpuBlock(e, CpuBlock.active);
    return;
  }
  w.get(EntryParam.attachment);
  w.memory(Wasm.i32Load, AttachmentBlock.active);
  w.get(EntryParam.cpuOrStack);
  w.i32(2);
  w.op(Wasm.i32Shl, Wasm.i32Add);
  w.memory(Wasm.i32Load, 0);
}

/** A hit has all of the budget. Functions that the entry calls find it in the state area, if they count. */
function beginBudget(e: Emitter): void {
  const { w, plan, runtime } = e;
  const callsOthers = hasSubprogs(e);
  if (!plan.usesBudget && !callsOthers) return;
  const budget = runtime.instructionBudget;
  setLong(e, budget);
  w.set(e.budget);
  if (callsOthers) {
    w.i32(0);
    w.get(e.budget);
    w.memory(Wasm.i64Store, plan.state + StateLayout.budget);
  }
  w.i32(0);
  setLong(e, Math.floor(budget / 2));
  w.memory(Wasm.i64Store, plan.state + StateLayout.loopReserve);
}

function setLong({ w }: Emitter, value: number): void {
  w.i64(value | 0, Math.floor(value / 2 ** 32));
}

function storeEvent({ w, plan }: Emitter): void {
  const store = (local: number, field: number): void => {
    w.i32(0);
    w.get(local);
    w.memory(Wasm.i32Store, plan.state + field);
  };
  store(EntryParam.ctx, StateLayout.context);
  store(Event.cpu, StateLayout.cpu);
  store(Event.attachment, StateLayout.attachment);
}
