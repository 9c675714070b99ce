import type { Cursor } from './cursor.js';

/** Parentheses and signs that may nest. */
const MAX_DEPTH = 64;

/** Binary operators by how tightly they bind, loosest first: GNU as' order, which LLVM follows. */
const levels: readonly (readonly string[])[] = [
  ['+', '-'],
  ['|', '^', '&'],
  ['*', '/', '%', '<<', '>>'],
];

/** A constant expression of numbers, signs, parentheses and the usual binary operators. */
export function parseExpression(cursor: Cursor, depth = 0): bigint {
  return parseLevel(cursor, 0, depth);
}

/** An expression that must fit a 32-bit field, signed or unsigned; the result is signed. */
export function parseImmediate32(cursor: Cursor): number {
  const value = parseWithin(cursor, -0x8000_0000n, 0xffff_ffffn, '32 bits', 'a 64-bit load takes it: r1 = VALUE ll');
  return Number(BigInt.asIntN(32, value));
}

/** An expression for the signed 16-bit offset field. */
export function parseOffset16(cursor: Cursor): number {
  return Number(parseWithin(cursor, -0x8000n, 0x7fffn, 'the signed 16-bit offset field'));
}

/** An expression for a signed 32-bit distance. */
export function parseDistance32(cursor: Cursor): number {
  return Number(parseWithin(cursor, -0x8000_0000n, 0x7fff_ffffn, 'the signed 32-bit distance'));
}

/** An expression of 64 bits, signed or unsigned. */
export function parseImmediate64(cursor: Cursor): bigint {
  return parseWithin(cursor, -(1n << 63n), (1n << 64n) - 1n, '64 bits');
}

/** A whole number from 0 to `most`. */
export function parseIndex(cursor: Cursor, most: number): number {
  return Number(parseWithin(cursor, 0n, BigInt(most), `0 to ${most}`));
}

function parseWithin(cursor: Cursor, least: bigint, most: bigint, room: string, hint?: string): bigint {
  const start = cursor.peek();
  const value = parseExpression(cursor);
  if (value < least || value > most) throw cursor.error(`${value} does not fit ${room}`, hint, start);
  return value;
}

function parseLevel(cursor: Cursor, level: number, depth: number): bigint {
  const operators = levels[level];
  if (operators === undefined) return parseUnary(cursor, depth);
  let left = parseLevel(cursor, level + 1, depth);
  for (;;) {
    const token = cursor.peek();
    const operator = operators.find((text) => cursor.takeAll(...text.split('')));
    if (operator === undefined) return left;
    const right = parseLevel(cursor, level + 1, depth);
    const value = apply(operator, left, right);
    if (value === undefined) throw cursor.error(`${left} ${operator} ${right} has no value`, undefined, token);
    left = value;
  }
}

function parseUnary(cursor: Cursor, depth: number): bigint {
  if (depth > MAX_DEPTH) throw cursor.error('the expression nests too deeply');
  if (cursor.take('-')) return -parseUnary(cursor, depth + 1);
  if (cursor.take('+')) return parseUnary(cursor, depth + 1);
  if (cursor.take('~')) return ~parseUnary(cursor, depth + 1);
  if (cursor.take('(')) {
    const value = parseExpression(cursor, depth + 1);
    cursor.expect(')');
    return value;
  }
  if (cursor.peek().kind !== 'number') throw cursor.error('expected a number');
  return cursor.next().value;
}

function apply(operator: string, left: bigint, right: bigint): bigint | undefined {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '&':
      return left & right;
    case '*':
      return left * right;
    case '/':
      return right === 0n ? undefined : left / right;
    case '%':
      return right === 0n ? undefined : left % right;
    case '<<':
      return right < 0n || right > 63n ? undefined : left << right;
    default:
      return right < 0n || right > 63n ? undefined : left >> right;
  }
}
