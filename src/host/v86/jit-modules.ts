import type { V86Cpu } from './v86-internals.js';

/** Where v86's table begins to hold compiled functions. */
const TABLE_OFFSET = 1024;

interface Generated {
  readonly index: number;
  readonly start: number;
  readonly flags: number;
  readonly code: Uint8Array;
}

/**
 * Finishes what v86's compiler generates without waiting for promises, so that a machine which is run synchronously
 * does not stay in the interpreter for ever.
 */
export class JitModules {
  readonly #cpu: V86Cpu;
  #generated: Generated[] = [];

  constructor(cpu: V86Cpu) {
    this.#cpu = cpu;
    cpu.codegen_finalize = (index, start, flags, address, length) => {
      const code = new Uint8Array(cpu.wasm_memory.buffer, address >>> 0, length >>> 0).slice();
      this.#generated.push({ index, start, flags, code });
    };
  }

  /** Puts to use what was generated since the last call. Between two runs of the main loop only. */
  finish(): void {
    if (this.#generated.length === 0) return;
    const generated = this.#generated;
    this.#generated = [];
    for (const { index, start, flags, code } of generated) {
      const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { e: this.#cpu.jit_imports });
      this.#cpu.wm.wasm_table.set(index + TABLE_OFFSET, instance.exports['f']);
      this.#cpu.codegen_finalize_finished(index, start, flags);
    }
  }
}
