import { ByteWriter } from './byte-writer.js';
import type { FunctionWriter } from './function-writer.js';
import type { ValType } from './opcodes.js';

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const Section = { type: 1, import: 2, function: 3, table: 4, export: 7, code: 10 } as const;
const FUNCTION = 0x00;
const TABLE = 0x01;
const MEMORY = 0x02;
const FUNCTION_REFERENCE = 0x70;
const FUNCTION_TYPE = 0x60;
const LIMITS_MIN = 0x00;
const LIMITS_SHARED = 0x03;
const MAX_PAGES = 65536;
/** What all but the code takes in a small module. */
const MODULE_BYTES = 512;

export interface FunctionType {
  readonly params: readonly ValType[];
  readonly results: readonly ValType[];
}

/** Names under which a module imports the memory. */
export const ImportName = { module: 'm', memory: 'm' } as const;

export type MemoryKind = 'shared' | 'unshared' | 'none';

interface ImportedFunction {
  readonly name: string;
  readonly type: number;
  readonly exportAs: string | undefined;
}

interface ModuleFunction {
  readonly type: number;
  readonly exportAs: string | undefined;
  body: FunctionWriter | undefined;
}

/**
 * Writes a module that imports a memory and functions, all from `m`, and exports functions and a table. Imported
 * functions must all be known before the first function is declared: their indexes come first.
 */
export class ModuleWriter {
  readonly #memory: MemoryKind;
  readonly #types: FunctionType[] = [];
  readonly #typeIndex = new Map<FunctionType, number>();
  readonly #imports: ImportedFunction[] = [];
  readonly #functions: ModuleFunction[] = [];

  #table: { readonly size: number; readonly exportAs: string } | undefined;

  constructor(memory: MemoryKind) {
    this.#memory = memory;
  }

  importFunction(name: string, type: FunctionType, exportAs?: string): number {
    return this.#imports.push({ name, type: this.typeIndex(type), exportAs }) - 1;
  }

  /** Index of a function whose body is given later. */
  declare(type: FunctionType, exportAs?: string): number {
    return this.#imports.length + this.#functions.push({ type: this.typeIndex(type), exportAs, body: undefined }) - 1;
  }

  /** The number by which code refers to a type. Types are told apart by identity, which only costs a row. */
  typeIndex(type: FunctionType): number {
    let index = this.#typeIndex.get(type);
    if (index === undefined) {
      index = this.#types.push(type) - 1;
      this.#typeIndex.set(type, index);
    }
    return index;
  }

  define(index: number, body: FunctionWriter): void {
    this.#functions[index - this.#imports.length].body = body;
  }

  /** The module's one table of functions. */
  table(size: number, exportAs: string): void {
    this.#table = { size, exportAs };
  }

  finish(): Uint8Array {
    // What is returned is the caller's, and so is its buffer.
    const code = this.#functions.reduce((sum, { body }) => sum + (body?.code.length ?? 0), 0);
    const out = new ByteWriter(code + MODULE_BYTES);
    out.raw(MAGIC);
    section(out, Section.type, this.#types, writeType);
    this.#importSection(out);
    section(out, Section.function, this.#functions, (to, { type }) => to.unsigned(type));
    if (this.#table !== undefined) section(out, Section.table, [this.#table], writeTable);
    this.#exportSection(out);
    section(out, Section.code, this.#functions, (to, { body }) => {
      if (body === undefined) throw new TypeError('a declared function has no body');
      body.writeTo(to);
      body.code.release();
    });
    return out.bytes;
  }

  #importSection(out: ByteWriter): void {
    const hasMemory = this.#memory !== 'none';
    out.byte(Section.import);
    const start = out.openLength();
    out.unsigned(this.#imports.length + (hasMemory ? 1 : 0));
    if (hasMemory) writeMemory(out, this.#memory === 'shared');
    for (const { name, type } of this.#imports) {
      writeImport(out, name, FUNCTION);
      out.unsigned(type);
    }
    out.closeLength(start);
  }

  #exportSection(out: ByteWriter): void {
    const functions = [...this.#imports, ...this.#functions];
    const exported = functions.flatMap(({ exportAs: name }, index) =>
      name === undefined ? [] : [{ name, kind: FUNCTION, index }],
    );
    if (this.#table !== undefined) exported.push({ name: this.#table.exportAs, kind: TABLE, index: 0 });
    section(out, Section.export, exported, (to, { name, kind, index }) => {
      to.name(name);
      to.byte(kind);
      to.unsigned(index);
    });
  }
}

function section<T>(out: ByteWriter, id: number, rows: readonly T[], write: (to: ByteWriter, row: T) => void): void {
  out.byte(id);
  const start = out.openLength();
  out.unsigned(rows.length);
  for (const row of rows) write(out, row);
  out.closeLength(start);
}

function writeType(to: ByteWriter, { params, results }: FunctionType): void {
  to.byte(FUNCTION_TYPE);
  to.unsigned(params.length);
  to.raw(params);
  to.unsigned(results.length);
  to.raw(results);
}

function writeImport(to: ByteWriter, name: string, kind: number): void {
  to.name(ImportName.module);
  to.name(name);
  to.byte(kind);
}

function writeMemory(to: ByteWriter, shared: boolean): void {
  writeImport(to, ImportName.memory, MEMORY);
  to.byte(shared ? LIMITS_SHARED : LIMITS_MIN);
  to.unsigned(0);
  if (shared) to.unsigned(MAX_PAGES);
}

function writeTable(to: ByteWriter, { size }: { readonly size: number }): void {
  to.byte(FUNCTION_REFERENCE);
  to.byte(LIMITS_MIN);
  to.unsigned(size);
}
