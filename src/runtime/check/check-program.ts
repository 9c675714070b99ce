import { BpfAttachType, BpfProgType } from '../../base/index.js';
import type { CheckedProgram, ProgramInput, Subprog } from '../executable.js';
import { BPF_COMPLEXITY_LIMIT_INSNS } from '../isa/index.js';
import { checkCallDepth } from './call-depth.js';
import { CheckError } from './check-error.js';
import { walkControlFlow } from './control-flow.js';
import { checkEncodings } from './encodings.js';
import { refusalOf } from './insn-rules.js';
import { checkStackDepth } from './stack-depth.js';
import { checkSubprogBounds, findSubprogs } from './subprogs.js';

export interface CheckOptions {
  /**
   * For the plugin protocol of conformance suites: calls through a register, shifts past the width and
   * divisions by an immediate zero are taken, which Linux's verifier refuses by policy.
   */
  readonly plugin?: boolean;
}

/**
 * Checks a program's structure as the first stages of Linux's verifier do, in their order and with their
 * messages and errno (kernel/bpf/verifier.c of 6.18): size, functions, codes, control flow, fields of each
 * instruction, depth of calls. Nothing is concluded about values: an instruction that a condition makes dead
 * must still be well formed, and a call of a helper that is unknown, that CO-RE poisoned, or that the program's
 * type or licence forbids is well formed; it stops the run when it is reached.
 *
 * Throws a `CheckError` for the first thing Linux would complain about. Takes time linear in the program.
 */
export function checkProgram(input: ProgramInput, options: CheckOptions = {}): CheckedProgram {
  checkSize(input);
  checkSleepable(input);
  const subprogs = findSubprogs(input);
  checkSubprogBounds(input, subprogs);
  checkEncodings(input, options);
  for (const index of walkControlFlow(input)) {
    const refusal = refusalOf(input.insns[index], input, options);
    if (refusal !== undefined) throw new CheckError(input, { ...refusal, insn: index });
  }
  checkCallDepth(input, subprogs);
  checkStackDepth(input, subprogs);
  return checkedProgram(input, subprogs);
}

/** Written out: engines look at it for each instruction, and what spreading makes of an object is slow to look at. */
function checkedProgram(input: ProgramInput, subprogs: readonly Subprog[]): CheckedProgram {
  const { name, type, expectedAttachType, license, insns, maps, lines, functionNames, notes } = input;
  const { sleepable, symbols } = input;
  return {
    kind: 'checked',
    name,
    type,
    expectedAttachType,
    license,
    insns,
    maps,
    subprogs,
    ...(lines === undefined ? undefined : { lines }),
    ...(functionNames === undefined ? undefined : { functionNames }),
    ...(notes === undefined ? undefined : { notes }),
    ...(sleepable === true ? { sleepable } : undefined),
    ...(symbols === undefined ? undefined : { symbols }),
  };
}

const T = BpfProgType;
const A = BpfAttachType;
const SLEEPABLE_TYPES: readonly number[] = [
  T.BPF_PROG_TYPE_KPROBE,
  T.BPF_PROG_TYPE_LSM,
  T.BPF_PROG_TYPE_STRUCT_OPS,
  T.BPF_PROG_TYPE_SYSCALL,
];
const SLEEPABLE_TRACING: readonly number[] = [
  A.BPF_TRACE_FENTRY,
  A.BPF_TRACE_FEXIT,
  A.BPF_MODIFY_RETURN,
  A.BPF_TRACE_ITER,
];

/** can_be_sleepable() */
function checkSleepable(input: ProgramInput): void {
  const { sleepable, type, expectedAttachType } = input;
  if (sleepable !== true || SLEEPABLE_TYPES.includes(type)) return;
  if (type === T.BPF_PROG_TYPE_TRACING && SLEEPABLE_TRACING.includes(expectedAttachType)) return;
  throw new CheckError(input, {
    code: 'EINVAL',
    verdict: 'Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable',
    remedy: 'leave the .s out of its section name',
  });
}

function checkSize(input: ProgramInput): void {
  const { length } = input.insns;
  if (length > 0 && length <= BPF_COMPLEXITY_LIMIT_INSNS) return;
  throw new CheckError(input, {
    code: 'E2BIG',
    verdict: length === 0 ? 'the program is empty' : `the program has ${length} instruction slots`,
    remedy: `a program has 1 to ${BPF_COMPLEXITY_LIMIT_INSNS} slots of 8 bytes`,
  });
}
