import { BpfPseudo } from '../../../base/index.js';
import { ldImm64 } from '../builders.js';
import type { Cursor } from './cursor.js';
import { parseImmediate64, parseIndex } from './expression.js';
import type { ProgramBuilder } from './program-builder.js';

/**
 * The right side of a 64-bit load, up to `ll`, where it is no number: the address of a function
 * (`func label`, or just `label`), of a map (`map[2]`) or of a map's value (`map[2].value + 8`).
 */
export function parseAddressOf(cursor: Cursor, program: ProgramBuilder, dst: number): void {
  if (cursor.is('map') && cursor.is('[', 1)) {
    program.emit(...parseMapAddress(cursor, dst));
  } else {
    if (cursor.is('func') && cursor.peek(1).kind === 'name' && !cursor.is('ll', 1)) cursor.next();
    const label = cursor.expectName('a label');
    if (!cursor.is('ll')) {
      const hint = 'registers are r0 to r10, addresses of functions and maps end with ll';
      throw cursor.error('this is no register, no number and no operation', hint, label);
    }
    program.emitReference(label, 'imm', ...ldImm64(dst, 0n, BpfPseudo.BPF_PSEUDO_FUNC));
  }
  cursor.expect('ll', 'addresses end with ll');
}

function parseMapAddress(cursor: Cursor, dst: number): ReturnType<typeof ldImm64> {
  cursor.expect('map');
  cursor.expect('[');
  const index = BigInt(parseIndex(cursor, 0x7fff_ffff));
  cursor.expect(']');
  if (!cursor.take('.value')) return ldImm64(dst, index, BpfPseudo.BPF_PSEUDO_MAP_FD);
  const offset = cursor.take('+') ? BigInt(parseIndex(cursor, 0x7fff_ffff)) : 0n;
  return ldImm64(dst, (offset << 32n) | index, BpfPseudo.BPF_PSEUDO_MAP_VALUE);
}

/** `ld_pseudo r1, 2, 5`: any source register. */
export function parseLdPseudo(cursor: Cursor, program: ProgramBuilder, parseDst: () => number): void {
  const dst = parseDst();
  cursor.expect(',');
  const src = parseIndex(cursor, 15);
  cursor.expect(',');
  program.emit(...ldImm64(dst, parseImmediate64(cursor), src));
}
