import { ByteWriter } from './byte-writer.js';
import type { FunctionWriter } from './function-writer.js';
import type { ValType } from './opcodes.js';

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const Section = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const FUNCTION = 0x00;
const MEMORY = 0x02;
const FUNCTION_TYPE = 0x60;
const LIMITS_MIN = 0x00;
const LIMITS_SHARED = 0x03;
const MAX_PAGES = 65536;

export interface FunctionType {
  readonly params: readonly ValType[];
  readonly results: readonly ValType[];
}

interface ImportedFunction {
  readonly name: string;
  readonly type: number;
}

interface ModuleFunction {
  readonly type: number;
  readonly exportAs: string | undefined;
  body: FunctionWriter | undefined;
}

/**
 * Writes a module that imports the memory `m.m`, functions `m.<name>`, and exports functions. Imports must all
 * be known before the first function is declared: their indexes come first.
 */
export class ModuleWriter {
  readonly #types: FunctionType[] = [];
  readonly #typeIndex = new Map<string, number>();
  readonly #imports: ImportedFunction[] = [];
  readonly #functions: ModuleFunction[] = [];

  importFunction(name: string, type: FunctionType): number {
    return this.#imports.push({ name, type: this.#type(type) }) - 1;
  }

  /** Index of a function whose body is given later. */
  declare(type: FunctionType, exportAs?: string): number {
    return this.#imports.length + this.#functions.push({ type: this.#type(type), exportAs, body: undefined }) - 1;
  }

  define(index: number, body: FunctionWriter): void {
    this.#functions[index - this.#imports.length].body = body;
  }

  finish(sharedMemory: boolean): Uint8Array {
    const out = new ByteWriter();
    out.raw(MAGIC);
    section(out, Section.type, this.#types, writeType);
    this.#importSection(out, sharedMemory);
    section(out, Section.function, this.#functions, (to, { type }) => to.unsigned(type));
    this.#exportSection(out);
    section(out, Section.code, this.#functions, (to, { body }) => {
      if (body === undefined) throw new TypeError('a declared function has no body');
      const { bytes } = body.finish();
      to.unsigned(bytes.length);
      to.raw(bytes);
    });
    return out.bytes.slice();
  }

  #type(type: FunctionType): number {
    const key = `${type.params.join()}>${type.results.join()}`;
    let index = this.#typeIndex.get(key);
    if (index === undefined) {
      index = this.#types.push(type) - 1;
      this.#typeIndex.set(key, index);
    }
    return index;
  }

  #importSection(out: ByteWriter, sharedMemory: boolean): void {
    const rows: (ImportedFunction | null)[] = [null, ...this.#imports];
    section(out, Section.import, rows, (to, row) => {
      to.name('m');
      to.name(row === null ? 'm' : row.name);
      if (row === null) writeMemory(to, sharedMemory);
      else {
        to.byte(FUNCTION);
        to.unsigned(row.type);
      }
    });
  }

  #exportSection(out: ByteWriter): void {
    const exported = this.#functions.flatMap(({ exportAs }, i) =>
      exportAs === undefined ? [] : [{ name: exportAs, index: this.#imports.length + i }],
    );
    section(out, Section.export, exported, (to, { name, index }) => {
      to.name(name);
      to.byte(FUNCTION);
      to.unsigned(index);
    });
  }
}

function section<T>(out: ByteWriter, id: number, rows: readonly T[], write: (to: ByteWriter, row: T) => void): void {
  const body = new ByteWriter();
  body.unsigned(rows.length);
  for (const row of rows) write(body, row);
  out.byte(id);
  out.unsigned(body.length);
  out.raw(body.bytes);
}

function writeType(to: ByteWriter, { params, results }: FunctionType): void {
  to.byte(FUNCTION_TYPE);
  to.unsigned(params.length);
  to.raw(params);
  to.unsigned(results.length);
  to.raw(results);
}

function writeMemory(to: ByteWriter, shared: boolean): void {
  to.byte(MEMORY);
  to.byte(shared ? LIMITS_SHARED : LIMITS_MIN);
  to.unsigned(0);
  if (shared) to.unsigned(MAX_PAGES);
}
