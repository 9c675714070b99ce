import type { Limits, ModuleImport } from '../wasm/module-reader.js';
import type { FunctionType } from '../wasm/module-writer.js';
import type { JitFunction, JitInsn, JitModule } from './describe-module.js';
import { typeText } from './operand-texts.js';

/** Further in than this, lines no longer move to the right. */
const DEEPEST = 30;
const OPENING: readonly string[] = ['block', 'loop', 'if', 'else'];
const CLOSING: readonly string[] = ['end', 'else'];

/**
 * The module in WebAssembly's text format: assembled, it is the same bytes but for the width of lengths. `;;` comments name the BPF instruction and
 * the source line that code was made for.
 */
export function formatWat(module: JitModule): string[] {
  const { types, tables, exports, functions, functionIds } = module;
  return [
    '(module',
    ...types.map((type, i) => `  (type (;${i};) (func${signature(type)}))`),
    ...importLines(module),
    ...tables.map((limits) => `  (table ${limitsText(limits)} funcref)`),
    ...functions.flatMap((each) => functionLines(module, each)),
    ...exports.map(
      ({ name, kind, index }) =>
        `  (export "${name}" (${kind} ${(kind === 'func' ? functionIds[index] : undefined) ?? index}))`,
    ),
    ')',
  ];
}

function importLines({ imports, functionIds }: JitModule): string[] {
  let index = 0;
  return imports.map((each) => {
    const what =
      each.kind === 'function' ? `func ${functionIds[index++]} (type ${each.type})` : `${each.kind} ${area(each)}`;
    return `  (import "${each.module}" "${each.name}" (${what}))`;
  });
}

function area({ kind, limits }: Exclude<ModuleImport, { kind: 'function' }>): string {
  return limitsText(limits) + (kind === 'table' ? ' funcref' : '');
}

function functionLines(
  { types }: JitModule,
  { id, type, locals, localIds, isStructured, insns }: JitFunction,
): string[] {
  const { params, results } = types[type];
  const variables = [...params, ...locals].map((each, i) => [localIds[i] ?? [], typeText(each)].flat().join(' '));
  const list = (what: string, items: readonly string[]): string[] =>
    items.length === 0 ? [] : [`    ${items.map((item) => `(${what} ${item})`).join(' ')}`];
  return [
    ...(isStructured
      ? []
      : ['  ;; a loop of this function has several entries: a br_table goes to each of its blocks']),
    `  (func ${id} (type ${type})`,
    ...list('param', variables.slice(0, params.length)),
    ...list('result', results.map(typeText)),
    ...list('local', variables.slice(params.length)),
    ...codeLines(insns),
    '  )',
  ];
}

function codeLines(insns: readonly JitInsn[]): string[] {
  const lines: string[] = [];
  let depth = 0;
  let shown = '';
  for (const { operation, operands, origins } of insns) {
    if (CLOSING.includes(operation)) depth--;
    const indent = '  '.repeat(2 + Math.min(depth, DEEPEST));
    for (const { slot, text, line } of origins) {
      const source = line?.text.trim() ?? '';
      if (source !== '' && source !== shown) lines.push(`${indent};; ${source}`);
      shown = source;
      lines.push(`${indent};; ${slot === undefined ? '' : `${slot}: `}${text}`);
    }
    lines.push(indent + [operation, ...operands].join(' '));
    if (OPENING.includes(operation)) depth++;
  }
  return lines;
}

function signature({ params, results }: FunctionType): string {
  const list = (what: string, types: readonly number[]): string =>
    types.length === 0 ? '' : ` (${what} ${types.map(typeText).join(' ')})`;
  return list('param', params) + list('result', results);
}

function limitsText({ least, most, isShared }: Limits): string {
  return `${least}${most === undefined ? '' : ` ${most}`}${isShared ? ' shared' : ''}`;
}
