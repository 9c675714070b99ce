import { BpfError, type ErrnoName } from '../../base/index.js';
import { disassembleInsn } from '../isa/index.js';
import type { ProgramInput } from '../executable.js';
import { lineAt, lineText } from './line-info.js';

/** What is wrong with a program, and where. */
export interface Refusal {
  readonly code: ErrnoName;
  /** The kernel's own message, where it has one. */
  readonly verdict: string;
  /** Slot of the instruction it is about. */
  readonly insn?: number;
  readonly remedy?: string;
}

/**
 * A program whose structure does not hold. `verdict` is the line that Linux's verifier logs for the same
 * mistake, `code` the errno that BPF_PROG_LOAD answers; the message adds the instruction and its source line.
 */
export class CheckError extends BpfError {
  override readonly name = 'CheckError';
  readonly verdict: string;
  /** Slot of the instruction the verdict is about, where it is about one. */
  readonly insn: number | undefined;

  constructor(input: ProgramInput, refusal: Refusal) {
    super(refusal.code, describe(input, refusal), refusal.remedy === undefined ? {} : { remedy: refusal.remedy });
    this.verdict = refusal.verdict;
    this.insn = refusal.insn;
  }
}

function describe(input: ProgramInput, { verdict, insn }: Refusal): string {
  const what = `program ${input.name}: ${verdict}`;
  if (insn === undefined) return what;
  const line = lineAt(input.lines, insn);
  const source = line === undefined ? '' : `, ${lineText(line)}`;
  return `${what} (insn ${insn}: ${disassembleInsn(input.insns, insn)}${source})`;
}
