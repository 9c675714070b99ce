import { AttachmentBlock } from '../../attachment-block.js';
import type { CallFact } from '../analysis/call-facts.js';
import type { Step } from '../step.js';
import { Wasm } from '../wasm/opcodes.js';
import type { Emitter } from './emitter.js';
import { attachmentBlock, runsAtHooks } from './entry.js';

const R0 = 0;

/** bpf_get_smp_processor_id. */
export function askCpu(e: Emitter): boolean {
  e.cpu();
  e.setLo(R0);
  return true;
}

/** bpf_get_attach_cookie. */
export function askCookie(e: Emitter, _step: Step, fact: CallFact): boolean {
  return loadOfAttachment(e, fact, AttachmentBlock.cookie);
}

/** bpf_get_func_ip. */
export function askFuncIp(e: Emitter, _step: Step, fact: CallFact): boolean {
  return loadOfAttachment(e, fact, AttachmentBlock.funcIp);
}

function loadOfAttachment(e: Emitter, { arguments: [, context] }: CallFact, field: number): boolean {
  if (!runsAtHooks(e) || context.isContext !== true) return false;
  attachmentBlock(e);
  e.w.memory(Wasm.i64Load, field);
  e.setReg(R0);
  return true;
}
