import { ByteCursor } from './byte-cursor.js';
import type { FunctionType } from './module-writer.js';
import { ValType } from './opcodes.js';

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** Sizes of a memory or a table. */
export interface Limits {
  readonly least: number;
  readonly most: number | undefined;
  readonly isShared: boolean;
}

export type ImportKind =
  | { readonly kind: 'function'; readonly type: number }
  | { readonly kind: 'table'; readonly limits: Limits }
  | { readonly kind: 'memory'; readonly limits: Limits };

export type ModuleImport = ImportKind & { readonly module: string; readonly name: string };

export interface ModuleExport {
  readonly name: string;
  readonly kind: ExportKind;
  /** Its number among those of its kind. */
  readonly index: number;
}

const EXPORT_KINDS = ['func', 'table', 'memory'] as const;
export type ExportKind = (typeof EXPORT_KINDS)[number];

/** A function that the module defines. */
export interface ModuleBody {
  /** Number of the function, imported ones counted first. */
  readonly index: number;
  readonly type: number;
  readonly locals: readonly ValType[];
  /** Where its instructions are in the module. */
  readonly start: number;
  readonly end: number;
}

/** A module as its sections have it. */
export interface WasmModule {
  readonly bytes: Uint8Array;
  readonly types: readonly FunctionType[];
  readonly imports: readonly ModuleImport[];
  /** Those of its own. */
  readonly tables: readonly Limits[];
  readonly exports: readonly ModuleExport[];
  readonly functions: readonly ModuleBody[];
}

/**
 * Reads a module of the kind that `ModuleWriter` makes: types, imports, tables, exports, code. Anything else is an EINVAL
 * `BpfError` with its offset.
 */
export function readModule(bytes: Uint8Array): WasmModule {
  return new ModuleReader(bytes).read();
}

class ModuleReader {
  readonly #cursor: ByteCursor;
  #types: FunctionType[] = [];
  #imports: ModuleImport[] = [];
  #declared: number[] = [];
  #tables: Limits[] = [];
  #exports: ModuleExport[] = [];
  #functions: ModuleBody[] = [];

  constructor(bytes: Uint8Array) {
    this.#cursor = new ByteCursor(bytes);
  }

  read(): WasmModule {
    const cursor: ByteCursor = this.#cursor;
    for (const byte of HEADER) if (cursor.byte() !== byte) cursor.fail('this is not version 1', cursor.at - 1);
    let last = 0;
    while (!cursor.done) {
      const at = cursor.at;
      const id = cursor.byte();
      const read = this.#sections.get(id);
      if (read === undefined || id <= last) cursor.fail(`there is no section ${id} here`, at);
      last = id;
      const section = cursor.slice(cursor.unsigned());
      read(section);
      if (!section.done) section.fail(`section ${id} is longer than what is in it`);
    }
    if (this.#functions.length !== this.#declared.length) cursor.fail('functions are declared that have no code');
    return {
      bytes: cursor.bytes,
      types: this.#types,
      imports: this.#imports,
      tables: this.#tables,
      exports: this.#exports,
      functions: this.#functions,
    };
  }

  readonly #sections: ReadonlyMap<number, (section: ByteCursor) => void> = new Map([
    [1, (section) => (this.#types = section.vector(() => readType(section)))],
    [2, (section) => (this.#imports = section.vector(() => this.#readImport(section)))],
    [3, (section) => (this.#declared = section.vector(() => this.#typeIndex(section)))],
    [4, (section) => (this.#tables = section.vector(() => readTable(section)))],
    [7, (section) => (this.#exports = section.vector(() => readExport(section)))],
    [10, (section) => this.#readCode(section)],
  ]);

  #readImport(from: ByteCursor): ModuleImport {
    const module = from.name();
    const name = from.name();
    return { module, name, ...this.#readImportKind(from) };
  }

  #readImportKind(from: ByteCursor): ImportKind {
    const kind = from.byte();
    switch (kind) {
      case 0:
        return { kind: 'function', type: this.#typeIndex(from) };
      case 1:
        return { kind: 'table', limits: readTable(from) };
      case 2:
        return { kind: 'memory', limits: readLimits(from) };
      default:
        return from.fail(`imports of kind ${kind} are not made here`, from.at - 1);
    }
  }

  #typeIndex(from: ByteCursor): number {
    const { at } = from;
    const index = from.unsigned();
    return index < this.#types.length ? index : from.fail(`there is no type ${index}`, at);
  }

  #readCode(section: ByteCursor): void {
    const imported = this.#imports.filter(({ kind }) => kind === 'function').length;
    const bodies = section.vector(() => section.slice(section.unsigned()));
    this.#functions = bodies.map((body, i) => {
      const type = this.#declared[i];
      if (type === undefined) body.fail('code of a function that is not declared');
      const locals = body.vector(() => readLocals(body)).flat();
      return { index: imported + i, type, locals, start: body.at, end: body.end };
    });
  }
}

function readType(from: ByteCursor): FunctionType {
  expect(from, 0x60, 'function type');
  const params = from.vector(() => readValType(from));
  const results = from.vector(() => readValType(from));
  return { params, results };
}

function readTable(from: ByteCursor): Limits {
  expect(from, 0x70, 'type of references');
  return readLimits(from);
}

function readLimits(from: ByteCursor): Limits {
  const flags = from.byte();
  if (flags > 3) from.fail(`limits of kind ${flags} are not made here`, from.at - 1);
  const least = from.unsigned();
  return { least, most: (flags & 1) === 0 ? undefined : from.unsigned(), isShared: (flags & 2) !== 0 };
}

function readExport(from: ByteCursor): ModuleExport {
  const name = from.name();
  const code = from.byte();
  const kind = EXPORT_KINDS[code] ?? from.fail(`exports of kind ${code} are not made here`, from.at - 1);
  return { name, kind, index: from.unsigned() };
}

function readLocals(from: ByteCursor): ValType[] {
  const count = from.unsigned();
  if (count > 50_000) from.fail(`${count} locals: no engine takes that many`);
  const type = readValType(from);
  return Array.from({ length: count }, () => type);
}

function readValType(from: ByteCursor): ValType {
  const code = from.byte();
  if (code === ValType.i32 || code === ValType.i64) return code;
  return from.fail(`there is no type 0x${code.toString(16)} here`, from.at - 1);
}

function expect(from: ByteCursor, byte: number, what: string): void {
  const found = from.byte();
  if (found !== byte) from.fail(`no ${what} is 0x${found.toString(16)}`, from.at - 1);
}
