import type { Insn } from '../insn.js';
import { parseAssignment } from './assignment-statement.js';
import { Cursor } from './cursor.js';
import { parseLdPseudo } from './imm64-operand.js';
import { parseCall, parseCallx, parseExit, parseGoto, parseGotol, parseIf, parseMayGoto } from './jump-statements.js';
import { parseLock, parseStore, parseStoreRelease } from './memory-statements.js';
import { isRegister, parseWide } from './operands.js';
import { ProgramBuilder } from './program-builder.js';
import { tokenize } from './tokenizer.js';

type ParseStatement = (cursor: Cursor, program: ProgramBuilder) => void;

/** Statements by their first word or symbol, which has been read when they are called. */
const statements: ReadonlyMap<string, ParseStatement> = new Map<string, ParseStatement>([
  ['*', parseStore],
  ['if', parseIf],
  ['goto', parseGoto],
  ['gotol', parseGotol],
  ['may_goto', parseMayGoto],
  ['call', parseCall],
  ['callx', parseCallx],
  ['exit', parseExit],
  ['lock', parseLock],
  ['store_release', parseStoreRelease],
  ['ld_pseudo', (cursor, program) => parseLdPseudo(cursor, program, () => parseWide(cursor))],
]);

/**
 * Instructions from text in clang's BPF syntax, that of `clang -target bpf -S` and of inline assembly:
 *
 *     loop:
 *       r1 = *(u32 *)(r2 + 8)
 *       if r1 s> 5 goto loop
 *       call map_lookup_elem; exit      // comments: // # and slash-star
 *
 * Statements end with a newline or a semicolon. Beyond clang it takes
 * - `call NAME` of a helper, unless the text has a label NAME, which makes it a call of that function;
 * - `r1 = func LABEL ll` (or `r1 = LABEL ll`), the address of a function, for callbacks;
 * - `r1 = map[2] ll` and `r1 = map[2].value + 8 ll`, a map of `ProgramInput.maps` or its value
 *   (BPF_PSEUDO_MAP_FD and BPF_PSEUDO_MAP_VALUE); `ld_pseudo r1, SRC, IMM` writes any source register;
 * - `gotol` over 32 bits, `load_acquire` and `store_release`, `skb[r7 + 4]`;
 * - what the disassembler writes: `goto pc+1`, `call bpf_ktime_get_ns#5`, `atomic64_xchg`, the code in
 *   parentheses before an instruction.
 * Unlike clang it refuses numbers that do not fit their field instead of cutting them. There are no
 * directives, sections or symbols beyond labels.
 *
 * Nothing is judged beyond the syntax: that is `checkProgram`'s. Throws an `AssemblyError`, and nothing else.
 */
export function assemble(text: string): Insn[] {
  const cursor = new Cursor(tokenize(text));
  const program = new ProgramBuilder();
  while (!cursor.done) parseStatement(cursor, program);
  return program.finish();
}

function parseStatement(cursor: Cursor, program: ProgramBuilder): void {
  while (isLabel(cursor)) {
    program.define(cursor.next());
    cursor.expect(':');
  }
  const code = cursor.peek().kind === 'code' ? Number(cursor.next().value) : undefined;
  if (isRegister(cursor)) parseAssignment(cursor, program, code);
  else if (cursor.peek().kind !== 'end') parseKeyword(cursor, program);
  cursor.expectEnd();
}

/** `name:` or `1:` */
function isLabel(cursor: Cursor): boolean {
  const { kind } = cursor.peek();
  return (kind === 'name' || kind === 'number') && cursor.is(':', 1);
}

function parseKeyword(cursor: Cursor, program: ProgramBuilder): void {
  const { text } = cursor.peek();
  const parse = statements.get(text.toLowerCase());
  if (parse === undefined) {
    const directive = text.startsWith('.') ? 'directives are not taken: give instructions and labels' : undefined;
    throw cursor.error('no instruction begins like this', directive);
  }
  cursor.next();
  parse(cursor, program);
}
