import { AssemblyError, type Position } from './assembly-error.js';

export type TokenKind =
  | 'name'
  | 'number'
  /** `1b` or `1f`: the nearest numeric label before or after. */
  | 'local'
  /** `(b7)` before an instruction, as the verifier's log has it. */
  | 'code'
  /** `#14` behind the name of a call target: its number, as the verifier's log has it. */
  | 'id'
  | 'symbol'
  /** End of a statement: newline, semicolon or end of text. `text` is empty. */
  | 'end';

export interface Token extends Position {
  readonly kind: TokenKind;
  readonly text: string;
  /** Of numbers, codes and ids. */
  readonly value: bigint;
}

/** What may come next, in the order of preference. Sticky: matched where the last token ended. */
const patterns: readonly (readonly [TokenKind | 'skip' | 'newline', RegExp])[] = [
  ['id', /(?<=\bcall[ \t]+[\w-]+)#-?\d+\b/y],
  ['skip', /[ \t\r\f\v]+|\/\/[^\n]*|#[^\n]*|\/\*[^]*?\*\//y],
  ['newline', /\n/y],
  ['end', /;/y],
  ['number', /0[xX][0-9a-fA-F]+\b|0[bB][01]+\b|\d+\b|'(?:[^'\\\n]|\\[0nrt\\'])'/y],
  ['local', /\d+[bf]\b/y],
  ['name', /[A-Za-z_.$][\w.$]*/y],
  ['symbol', /!=|[-+*/%&|^<>=()[\],:~]/y],
];

const codePrefix = /\(([0-9a-f]{2})\)(?=[ \t])/y;

const escapes: Readonly<Record<string, string>> = { '0': '\0', n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'" };

/** Splits assembly text into tokens; every statement ends with one of kind `end`. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let lineStart = 0;
  let at = 0;
  let opensStatement = true;

  while (at < text.length) {
    const position = { line, column: at - lineStart + 1 };
    const [kind, lexeme] = match(text, at, opensStatement, position);
    at += lexeme.length;
    if (kind === 'newline' || kind === 'end') tokens.push({ ...position, kind: 'end', text: '', value: 0n });
    else if (kind !== 'skip') tokens.push({ ...position, kind, text: lexeme, value: valueOf(kind, lexeme, position) });
    if (kind !== 'skip') opensStatement = kind === 'newline' || kind === 'end' || lexeme === ':';
    for (let i = lexeme.indexOf('\n'); i >= 0; i = lexeme.indexOf('\n', i + 1)) {
      line++;
      lineStart = at - lexeme.length + i + 1;
    }
  }
  tokens.push({ line, column: at - lineStart + 1, kind: 'end', text: '', value: 0n });
  return tokens;
}

function match(
  text: string,
  at: number,
  opensStatement: boolean,
  position: Position,
): readonly [TokenKind | 'skip' | 'newline', string] {
  if (opensStatement) {
    const code = matchAt(codePrefix, text, at);
    if (code !== undefined) return ['code', code];
  }
  for (const [kind, pattern] of patterns) {
    const lexeme = matchAt(pattern, text, at);
    if (lexeme === '/' && text[at + 1] === '*') {
      throw new AssemblyError({ ...position, text: '/*' }, 'comment does not end', 'close it with */');
    }
    if (lexeme !== undefined) return [kind, lexeme];
  }
  const token = matchAt(/[\w.]+|[^]/uy, text, at) ?? '';
  throw new AssemblyError({ ...position, text: token }, 'this is no token of BPF assembly');
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function valueOf(kind: TokenKind, lexeme: string, position: Position): bigint {
  if (kind === 'code') return BigInt(`0x${lexeme.slice(1, 3)}`);
  if (kind !== 'number' && kind !== 'id') return 0n;
  const value = kind === 'id' ? BigInt.asUintN(32, BigInt(lexeme.slice(1))) : numberOf(lexeme, position);
  if (value >> 64n === 0n) return value;
  throw new AssemblyError({ ...position, text: lexeme }, 'number does not fit 64 bits');
}

function numberOf(lexeme: string, position: Position): bigint {
  if (lexeme.startsWith("'")) {
    const character = lexeme.startsWith("'\\") ? (escapes[lexeme[2]] ?? '') : lexeme.slice(1, -1);
    return BigInt(character.codePointAt(0) ?? 0);
  }
  if (!/^0\d/.test(lexeme)) return BigInt(lexeme);
  if (/[89]/.test(lexeme)) {
    throw new AssemblyError({ ...position, text: lexeme }, 'a leading 0 makes a number octal: 8 and 9 are no digits');
  }
  return BigInt(`0o${lexeme.slice(1)}`);
}
