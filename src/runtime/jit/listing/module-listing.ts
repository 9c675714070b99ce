import type { Executable, Subprog } from '../../executable.js';

/** From here to the next mark, a function's code is that of one BPF instruction, or of something that has none. */
export interface Mark {
  /** Bytes from the function's first instruction. */
  readonly at: number;
  /** Slot of the BPF instruction, or what the code is for. */
  readonly of: number | string;
}

/** What was noted of one function while it was compiled. */
export interface FunctionListing {
  /** Its number in the module. */
  readonly index: number;
  readonly executable: Executable;
  readonly subprog: Subprog;
  readonly marks: Mark[];
  /** By the number of the variable. */
  readonly localNames: Map<number, string>;
  /** Its loops nest, so that blocks and loops express them; else a table of blocks does. */
  isStructured: boolean;
}

/** Takes notes while a module is compiled: which code came from which instruction. */
export class ModuleListing {
  bytes: Uint8Array = new Uint8Array(0);
  readonly functions: FunctionListing[] = [];
  /** Names of functions that no program has, by number. */
  readonly routines = new Map<number, string>();

  /** Later calls are about that function. */
  begin(index: number, executable: Executable, subprog: Subprog): void {
    this.functions.push({ index, executable, subprog, marks: [], localNames: new Map(), isStructured: true });
  }

  routine(index: number, name: string): void {
    this.routines.set(index, name);
  }

  mark(at: number, of: number | string): void {
    this.functions.at(-1)?.marks.push({ at, of });
  }

  nameLocals(names: Iterable<readonly [local: number, name: string]>): void {
    for (const [local, name] of names) this.functions.at(-1)?.localNames.set(local, name);
  }

  dispatches(): void {
    const last = this.functions.at(-1);
    if (last !== undefined) last.isStructured = false;
  }

  end(bytes: Uint8Array): void {
    this.bytes = bytes;
  }
}
