import type { Limits, ModuleImport } from '../wasm/module-reader.js';
import type { FunctionType } from '../wasm/module-writer.js';
import type { JitFunction, JitInsn, JitModule } from './describe-jit.js';
import { identifiers } from './identifiers.js';
import { type OperandNames, operandTexts, typeText } from './operand-texts.js';

/** Further in than this, lines no longer move to the right. */
const DEEPEST = 30;

/**
 * The module in WebAssembly's text format: assembled, it is the same bytes. `;;` comments name the BPF instruction and
 * the source line that code was made for.
 */
export function formatWat(module: JitModule): string[] {
  return new WatPrinter(module).print();
}

class WatPrinter {
  readonly #module: JitModule;
  readonly #functionNames: ReadonlyMap<number, string>;
  readonly #lines: string[] = [];

  constructor(module: JitModule) {
    this.#module = module;
    this.#functionNames = functionNames(module);
  }

  print(): string[] {
    const { types, imports, exports, functions } = this.#module;
    this.#lines.push('(module');
    types.forEach((type, i) => this.#lines.push(`  (type (;${i};) (func${signature(type)}))`));
    imports.forEach((each, i) => this.#import(each, i));
    for (const each of functions) this.#function(each);
    for (const { name, index } of exports) this.#lines.push(`  (export "${name}" (func ${this.#functionName(index)}))`);
    this.#lines.push(')');
    return this.#lines;
  }

  #functionName(index: number): string {
    return this.#functionNames.get(index) ?? `${index}`;
  }

  #import(each: ModuleImport, position: number): void {
    const names = `"${each.module}" "${each.name}"`;
    const earlier = this.#module.imports.slice(0, position);
    const index = earlier.filter(({ kind }) => kind === 'function').length;
    const what =
      each.kind === 'function'
        ? `func ${this.#functionName(index)} (type ${each.type})`
        : `${each.kind} ${limitsText(each.limits)}${each.kind === 'table' ? ' funcref' : ''}`;
    this.#lines.push(`  (import ${names} (${what}))`);
  }

  #function(each: JitFunction): void {
    const { index, type, locals, isStructured, insns } = each;
    const { params, results } = this.#module.types[type];
    const names = identifiers([...params, ...locals].map((_, local) => each.localNames.get(local)));
    const declared = [...params, ...locals].map((local, i) => `${names[i] ?? ''} ${typeText(local)}`.trim());
    if (!isStructured) this.#lines.push('  ;; a loop of this function has several entries: its blocks are in a table');
    this.#lines.push(`  (func ${this.#functionName(index)} (type ${type})`);
    this.#list('param', declared.slice(0, params.length));
    for (const result of results) this.#lines.push(`    (result ${typeText(result)})`);
    this.#list('local', declared.slice(params.length));
    this.#code(insns, {
      local: (local) => names[local] ?? `${local}`,
      function: (callee) => this.#functionName(callee),
    });
    this.#lines.push('  )');
  }

  #list(what: string, declared: readonly string[]): void {
    if (declared.length > 0) this.#lines.push(`    ${declared.map((each) => `(${what} ${each})`).join(' ')}`);
  }

  #code(insns: readonly JitInsn[], names: OperandNames): void {
    let depth = 0;
    let line = '';
    for (const insn of insns) {
      const { text, immediates } = insn.mnemonic;
      if (text === 'end' || text === 'else') depth--;
      const indent = '  '.repeat(2 + Math.min(depth, DEEPEST));
      for (const origin of insn.origins) {
        const source = origin.line?.text.trim() ?? '';
        if (source !== '' && source !== line) this.#lines.push(`${indent};; ${source}`);
        line = source;
        this.#lines.push(`${indent};; ${origin.slot === undefined ? '' : `${origin.slot}: `}${origin.text}`);
      }
      this.#lines.push(indent + [text, ...operandTexts(insn, names)].join(' '));
      if (immediates === 'block' || text === 'else') depth++;
    }
  }
}

function signature({ params, results }: FunctionType): string {
  const list = (what: string, types: readonly number[]): string =>
    types.length === 0 ? '' : ` (${what} ${types.map(typeText).join(' ')})`;
  return list('param', params) + list('result', results);
}

function limitsText({ least, most, isShared }: Limits): string {
  return `${least}${most === undefined ? '' : ` ${most}`}${isShared ? ' shared' : ''}`;
}

function functionNames({ imports, functions }: JitModule): Map<number, string> {
  const imported = imports.flatMap(({ kind, name }) => (kind === 'function' ? [name] : []));
  const own = functions.map(({ name }) => name);
  return new Map(identifiers([...imported, ...own]).map((name, index) => [index, name ?? `${index}`]));
}
