import { BpfFuncId } from '../../../base/index.js';
import type { CallFact } from '../analysis/call-facts.js';
import type { Step } from '../step.js';
import type { Emitter } from './emitter.js';
import { askCookie, askCpu, askFuncIp } from './event-calls.js';
import { deleteElement, lookUpElement, lookUpElementOfCpu, updateElement } from './map-calls.js';
import { discardRecord, outputRecord, queryRing, reserveRecord, submitRecord } from './ring-calls.js';

/** Writes a helper call that need not leave the module; false where it has to. */
type InsideCall = (e: Emitter, step: Step, fact: CallFact) => boolean;

/** By helper number. */
export const insideCalls: ReadonlyMap<number, InsideCall> = new Map<number, InsideCall>([
  [BpfFuncId.BPF_FUNC_map_lookup_elem, lookUpElement],
  [BpfFuncId.BPF_FUNC_map_lookup_percpu_elem, lookUpElementOfCpu],
  [BpfFuncId.BPF_FUNC_map_update_elem, updateElement],
  [BpfFuncId.BPF_FUNC_map_delete_elem, deleteElement],
  [BpfFuncId.BPF_FUNC_get_smp_processor_id, askCpu],
  [BpfFuncId.BPF_FUNC_get_attach_cookie, askCookie],
  [BpfFuncId.BPF_FUNC_get_func_ip, askFuncIp],
  [BpfFuncId.BPF_FUNC_ringbuf_reserve, reserveRecord],
  [BpfFuncId.BPF_FUNC_ringbuf_submit, submitRecord],
  [BpfFuncId.BPF_FUNC_ringbuf_discard, discardRecord],
  [BpfFuncId.BPF_FUNC_ringbuf_output, outputRecord],
  [BpfFuncId.BPF_FUNC_ringbuf_query, queryRing],
]);
