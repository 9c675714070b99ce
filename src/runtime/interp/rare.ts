import { BpfFuncId, BpfPseudo } from '../../base/index.js';
import { helperRefusal } from '../helper/helper-refusal.js';
import type { Activation } from './activation.js';
import { rareArithmetic } from './arithmetic.js';
import { atomic } from './atomics.js';
import { access } from './checked-access.js';
import { callHelper } from './helper-call.js';
import type { Op } from './op.js';
import { loadFromPacket } from './packet-load.js';
import { RunStopped } from './stop.js';

/** libbpf writes this helper number plus the relocation's index into instructions whose relocation failed. */
const POISON = 195_896_080;
/** The same for kfuncs and maps that do not exist. */
const POISON_KFUNC = 2_002_000_000;

/** Operations outside the loop's switch. False: the current function returns. */
export function rare(vm: Activation, op: number, d: number, s: number, x: number): boolean {
  switch (op) {
    case 81 satisfies Op['callRegister']:
      callByNumber(vm, vm.registers[s]);
      return true;
    case 82 satisfies Op['callNothing']:
      throw new RunStopped(whyNotCalled(vm, x));
    case 83 satisfies Op['ld_abs_u8']:
      return loadFromPacket(vm, x, 1);
    case 84 satisfies Op['ld_abs_u16']:
      return loadFromPacket(vm, x, 2);
    case 85 satisfies Op['ld_abs_u32']:
      return loadFromPacket(vm, x, 4);
    case 86 satisfies Op['ld_ind_u8']:
      return loadFromPacket(vm, x + vm.registers[s], 1);
    case 87 satisfies Op['ld_ind_u16']:
      return loadFromPacket(vm, x + vm.registers[s], 2);
    case 88 satisfies Op['ld_ind_u32']:
      return loadFromPacket(vm, x + vm.registers[s], 4);
    case 117 satisfies Op['endOfProgram']:
      throw new RunStopped('the program ran past its last instruction');
    default:
      if (op < (65 satisfies Op['load8'])) rareArithmetic(vm.registers, op, d, s);
      else if (op < (77 satisfies Op['callHelper'])) access(vm, op, d, s, x);
      else atomic(vm, op, d, s, x);
      return true;
  }
}

/** callx of the plugin protocol: a call of the helper whose number is in the register. */
function callByNumber(vm: Activation, number: number): void {
  const helper = vm.run.runtime.helpers.get(number);
  if (helper === undefined) throw new RunStopped(whyNoHelper(vm, number));
  callHelper(vm, helper);
}

/** Why the call in instruction slot `slot` cannot be made. */
export function whyNotCalled(vm: Activation, slot: number): string {
  const { insns, symbols } = vm.executable;
  const { src, imm } = insns[slot];
  if (src !== BpfPseudo.BPF_PSEUDO_KFUNC_CALL) return whyNoHelper(vm, imm);
  const { name = `with BTF id ${imm}`, kfunc } = symbols?.get(slot) ?? {};
  const refusal = kfunc === undefined ? undefined : helperRefusal(kfunc, vm.executable);
  return refusal ?? `calling kernel function ${name} is not allowed: it is none that the runtime has`;
}

/** Why a call of helper `number` cannot be made. */
export function whyNoHelper({ executable, run }: Activation, number: number): string {
  const poisoned = number >= POISON && number < POISON + 100_000_000;
  if (poisoned) return `a CO-RE relocation of this instruction failed (call poisoned with ${number})`;
  if (number >= POISON_KFUNC) return `a kernel function or map that the kernel lacks is used (poisoned with ${number})`;
  const helper = run.runtime.helpers.get(number);
  if (helper !== undefined) return helperRefusal(helper, executable) ?? `bpf_${helper.name}#${number} cannot be called`;
  const known = Object.entries(BpfFuncId).find(([, id]) => id === number && id !== BpfFuncId.BPF_FUNC_unspec);
  return known === undefined
    ? `unknown helper function ${number}`
    : `helper ${known[0].replace('BPF_FUNC_', 'bpf_')}#${number} is not supported`;
}
