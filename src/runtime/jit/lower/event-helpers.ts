import { BpfFuncId } from '../../../base/index.js';
import { AttachmentBlock } from '../../attachment-block.js';
import type { Helper } from '../../helper/helper.js';
import { hitGuard } from '../../hit-guard.js';
import type { Step } from '../step.js';
import { Wasm } from '../wasm/opcodes.js';
import type { Emitter } from './emitter.js';
import { attachmentBlock, cpuNumber } from './entry.js';

const R0 = 0;
const F = BpfFuncId;

/** What a program asks of its own run needs no call. False, and nothing is written, for other helpers. */
export function askEventInline(e: Emitter, { index }: Step, { id }: Helper): boolean {
  if (id === F.BPF_FUNC_get_smp_processor_id) {
    cpuNumber(e);
    e.setLo(R0);
    return true;
  }
  const isHook = hitGuard(e.plan.executable.type) !== undefined;
  if (!isHook || !e.facts.contextCalls.has(index)) return false;
  if (id === F.BPF_FUNC_get_attach_cookie) loadOfAttachment(e, AttachmentBlock.cookie);
  else if (id === F.BPF_FUNC_get_func_ip) loadOfAttachment(e, AttachmentBlock.funcIp);
  else return false;
  return true;
}

function loadOfAttachment(e: Emitter, field: number): void {
  attachmentBlock(e);
  e.w.memory(Wasm.i64Load, field);
  e.setReg(R0);
}
